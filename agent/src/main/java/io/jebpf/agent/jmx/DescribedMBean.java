package io.jebpf.agent.jmx;

import java.lang.reflect.Method;
import java.util.Optional;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanInfo;
import javax.management.StandardMBean;

/** The MXBean with the descriptions of its interface. */
final class DescribedMBean extends StandardMBean {
  DescribedMBean(ProfilerMXBean bean) {
    super(bean, ProfilerMXBean.class, true);
  }

  @Override
  protected String getDescription(MBeanInfo info) {
    return Optional.ofNullable(ProfilerMXBean.class.getAnnotation(Described.class))
        .map(Described::value)
        .orElse("");
  }

  @Override
  protected String getDescription(MBeanAttributeInfo attribute) {
    for (Method method : ProfilerMXBean.class.getMethods()) {
      Described described = method.getAnnotation(Described.class);
      if (described != null && method.getName().equals("get" + attribute.getName())) {
        return described.value();
      }
    }
    return "";
  }
}
