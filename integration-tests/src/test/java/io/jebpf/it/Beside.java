package io.jebpf.it;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/**
 * A class of tests that measure neither time nor cost nor loss: two such classes run at a time, in
 * JVMs of their own (pom.xml). All others have the machine for themselves.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Tag("beside")
public @interface Beside {}
