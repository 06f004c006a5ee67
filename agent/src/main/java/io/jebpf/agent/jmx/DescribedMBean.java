package io.jebpf.agent.jmx;

import java.lang.reflect.Method;
import java.util.Optional;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanInfo;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanParameterInfo;
import javax.management.StandardEmitterMBean;

/** The MXBean with the descriptions of its interface, and its notifications. */
final class DescribedMBean extends StandardEmitterMBean {
  DescribedMBean(ProfilerMXBean bean, Notifications notifications) {
    super(bean, ProfilerMXBean.class, true, notifications.emitter());
  }

  @Override
  protected String getDescription(MBeanInfo info) {
    return Optional.ofNullable(ProfilerMXBean.class.getAnnotation(Described.class))
        .map(Described::value)
        .orElse("");
  }

  @Override
  protected String getDescription(MBeanAttributeInfo attribute) {
    return described("get" + attribute.getName(), 0).map(Described::value).orElse("");
  }

  @Override
  protected String getDescription(MBeanOperationInfo operation) {
    return of(operation).map(Described::value).orElse("");
  }

  @Override
  protected int getImpact(MBeanOperationInfo operation) {
    return of(operation).map(Described::reads).orElse(false)
        ? MBeanOperationInfo.INFO
        : MBeanOperationInfo.ACTION;
  }

  @Override
  protected String getParameterName(
      MBeanOperationInfo operation, MBeanParameterInfo parameter, int sequence) {
    return of(operation, sequence).map(Described::name).orElse(parameter.getName());
  }

  @Override
  protected String getDescription(
      MBeanOperationInfo operation, MBeanParameterInfo parameter, int sequence) {
    return of(operation, sequence).map(Described::value).orElse("");
  }

  private static Optional<Described> of(MBeanOperationInfo operation) {
    return described(operation.getName(), operation.getSignature().length);
  }

  private static Optional<Described> of(MBeanOperationInfo operation, int parameter) {
    return method(operation.getName(), operation.getSignature().length)
        .map(method -> method.getParameters()[parameter].getAnnotation(Described.class));
  }

  private static Optional<Described> described(String name, int parameters) {
    return method(name, parameters).map(method -> method.getAnnotation(Described.class));
  }

  /** No two operations of one name have as many parameters. */
  private static Optional<Method> method(String name, int parameters) {
    for (Method method : ProfilerMXBean.class.getMethods()) {
      if (method.getName().equals(name) && method.getParameterCount() == parameters) {
        return Optional.of(method);
      }
    }
    return Optional.empty();
  }
}
