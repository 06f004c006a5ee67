/**
 * What code of an application can ask of the profiler in its own JVM. Needs no agent to compile or
 * to run, has no dependencies, and loads on Java 8.
 */
package io.jebpf.api;
