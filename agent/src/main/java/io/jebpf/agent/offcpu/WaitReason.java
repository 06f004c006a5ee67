package io.jebpf.agent.offcpu;

/** What a thread waits for: the values of label {@code wait}, which users may rely on. */
enum WaitReason {
  SLEEP("sleep"),
  MONITOR("monitor"),
  OBJECT_WAIT("wait"),
  LOCK("lock"),
  PARK("park"),
  SOCKET_ACCEPT("socket-accept"),
  SOCKET_CONNECT("socket-connect"),
  SOCKET_READ("socket-read"),
  SOCKET_WRITE("socket-write"),
  EPOLL("epoll"),
  POLL("poll"),
  PIPE("pipe"),
  FILE("file"),
  PAGE_FAULT("page-fault"),
  MEMORY("memory"),
  PROCESS("process"),
  CLASS_INIT("class-init"),
  STOPPED("stopped"),
  GC("gc"),
  SAFEPOINT("safepoint"),
  JVM("jvm"),
  FUTEX("futex"),
  OTHER("other");

  private final String label;

  WaitReason(String label) {
    this.label = label;
  }

  String label() {
    return label;
  }
}
