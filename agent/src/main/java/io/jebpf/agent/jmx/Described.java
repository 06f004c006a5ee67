package io.jebpf.agent.jmx;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The text that a JMX console shows for an attribute (on its getter), an operation, or a parameter,
 * which needs a name as well.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE, ElementType.PARAMETER})
@interface Described {
  String value();

  /** Of a parameter. */
  String name() default "";

  /** Of an operation that changes nothing. */
  boolean reads() default false;
}
