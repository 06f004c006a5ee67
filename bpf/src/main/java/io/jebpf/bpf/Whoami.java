package io.jebpf.bpf;

/**
 * A thread in two numberings: the kernel's own (what BPF programs see) and that of the PID
 * namespace of its process (what the process and its /proc see). The same outside of containers.
 */
public record Whoami(int tgid, int tid, int namespaceTgid, int namespaceTid) {}
