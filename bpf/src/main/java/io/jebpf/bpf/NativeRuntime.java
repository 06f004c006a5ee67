package io.jebpf.bpf;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Our native libraries in this process: zlib, libelf, libbpf and the helper. One per class loader,
 * for the life of the process; the libraries are never unloaded. Thread-safe.
 *
 * <p>They live in the jar, are unpacked to a fresh private directory, loaded, and deleted at once,
 * so that nothing stays on disk ({@link NativeUnpacker}). Their names inside the process (SONAME)
 * are ours alone, see {@code natives.mk}: a libz, libelf or libbpf that the application has loaded,
 * or will load, is another library to the dynamic linker, and neither side gets the other's copy.
 * Symbols are bound at load time and kept local. (RTLD_DEEPBIND is not used: it would split malloc
 * from free under a preloaded allocator.)
 *
 * <p>They need glibc 2.33 or newer (Debian 12's libelf); musl cannot load them.
 */
public final class NativeRuntime {
  /** In load order: each needs only what stands before it. */
  private static final List<String> LIBRARIES =
      List.of("jebpfz.so", "jebpfelf.so", "jebpfbpf.so", "jebpfhelp.so");

  /** Loaded where it is asked for, see {@link SharedContexts}. */
  private static final String SHARED = "jebpfotel.so";

  private static final int LIBBPF = 2;
  private static final int HELPER = 3;

  private static long[] handles = {};
  private static NativeRuntime loaded;
  private static List<Path> places = List.of();

  private final KernelCalls kernel;
  private final BpfCalls bpf;
  private final List<String> refusedPlaces;

  /** Package-private for tests, which put failing calls in. */
  NativeRuntime(KernelCalls kernel, BpfCalls bpf, List<String> refusedPlaces) {
    this.kernel = kernel;
    this.bpf = bpf;
    this.refusedPlaces = refusedPlaces;
  }

  /**
   * Loads the libraries, or returns the runtime that has them already.
   *
   * @param parentDirectories where the private directory may be made, tried in order; last of all
   *     memory ({@code memfd_create}) is tried
   */
  public static synchronized NativeRuntime load(List<Path> parentDirectories)
      throws NativeLoadException {
    if (loaded != null) {
      return loaded;
    }
    requireNativeAccess(NativeRuntime.class.getModule());
    NativeUnpacker unpacker = new NativeUnpacker(readLibraries(platform(), LIBRARIES));
    handles = unpacker.load(parentDirectories);
    places = List.copyOf(parentDirectories);
    try {
      Libjebpf kernel = new Libjebpf();
      loaded = new NativeRuntime(kernel, Libbpf.initialise(), unpacker.refused());
      return loaded;
    } catch (LinkageError e) {
      throw new NativeLoadException(
          "the native libraries of jebpf do not fit together: "
              + e
              + "; the jar is damaged, use another copy");
    }
  }

  /** Reads memory of process {@code pid} (a number of our own PID namespace; may be ourselves). */
  public ProcessVm processVm(int pid) {
    return new ProcessVm(kernel, pid);
  }

  /**
   * A number that grows whenever the dynamic linker loads or unloads an object: as long as it stays
   * the same, no library came or went. Costs some 100 ns.
   */
  public long loads() {
    return kernel.loads();
  }

  /**
   * How long the calling thread may keep a CPU before another gets its turn. One with a longer
   * slice than others makes room at once for whatever wakes on its CPU, and gets its own turn later
   * where there is much to do; its share stays the same. Linux 6.12; older kernels take no notice.
   *
   * @param nanos 0: as the kernel has it for all threads
   * @return whether the kernel let us
   */
  public boolean slice(long nanos) {
    return kernel.slice(nanos) >= 0;
  }

  /** To be called by a thread that has read memory and ends: its buffer is used again. */
  public void releaseThread() {
    ProcessVm.releaseThread();
  }

  /** Places that could not be used before one could, each with its reason: worth a log line. */
  public List<String> refusedPlaces() {
    return refusedPlaces;
  }

  /**
   * Gives native memory that was freed back to the system: {@code malloc_trim} of glibc, as {@code
   * jcmd System.trim_native_heap} does. Takes milliseconds, in which an allocation of another
   * thread may have to wait. False: this C library has no such function.
   */
  public boolean trimNativeHeap() {
    return Libdl.trimHeap();
  }

  /**
   * Loads the library that other profilers look for: the addresses of its functions. To be called
   * once in the life of a JVM: of two such libraries a reader would find one.
   *
   * @param parentDirectories as for {@link #load}
   */
  static long[] loadShared(List<Path> parentDirectories, String... functions)
      throws NativeLoadException {
    long[] handle =
        new NativeUnpacker(readLibraries(platform(), List.of(SHARED))).load(parentDirectories);
    long[] addresses = new long[functions.length];
    for (int i = 0; i < addresses.length; i++) {
      addresses[i] = Libdl.find(handle[0], functions[i]);
      if (addresses[i] == 0) {
        throw new NativeLoadException(SHARED + " has no function " + functions[i]);
      }
    }
    return addresses;
  }

  KernelCalls kernel() {
    return kernel;
  }

  BpfCalls bpf() {
    return bpf;
  }

  /** Where libraries are unpacked. */
  List<Path> places() {
    synchronized (NativeRuntime.class) {
      return places;
    }
  }

  /** Whether {@link #load} has succeeded in this process. */
  static synchronized boolean isLoaded() {
    return loaded != null;
  }

  static long libbpfSymbol(String name) {
    return symbol(LIBBPF, name);
  }

  /** Address of a function of the helper that is too rare for a field of {@link Libjebpf}. */
  long helper(String name) {
    return helperSymbol(name);
  }

  static long helperSymbol(String name) {
    return symbol(HELPER, name);
  }

  private static long symbol(int library, String name) {
    long address = handles.length == 0 ? 0 : Libdl.find(handles[library], name);
    if (address == 0) {
      throw new UnsatisfiedLinkError(LIBRARIES.get(library) + " has no function " + name);
    }
    return address;
  }

  private static void requireNativeAccess(Module module) throws NativeLoadException {
    if (!module.isNativeAccessEnabled()) {
      String name = module.isNamed() ? module.getName() : "ALL-UNNAMED";
      throw new NativeLoadException(
          "the JVM does not let "
              + module
              + " call native code; start it with --enable-native-access="
              + name);
    }
  }

  private static String platform() throws NativeLoadException {
    String os = System.getProperty("os.name", "");
    String arch = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
    String machine =
        switch (arch) {
          case "amd64", "x86_64" -> "x86_64";
          case "aarch64", "arm64" -> "aarch64";
          default -> "";
        };
    if (!os.equals("Linux") || machine.isEmpty()) {
      throw new NativeLoadException(
          "jebpf needs Linux on x86-64 or aarch64, this is "
              + os
              + " on "
              + arch
              + "; run without the agent here");
    }
    return "linux-" + machine;
  }

  private static List<NativeUnpacker.Library> readLibraries(String platform, List<String> names)
      throws NativeLoadException {
    List<NativeUnpacker.Library> libraries = new ArrayList<>();
    for (String name : names) {
      String resource = "native/" + platform + "/" + name;
      try (InputStream in = NativeRuntime.class.getResourceAsStream(resource)) {
        if (in == null) {
          throw new NativeLoadException(
              "this jar has no native library for "
                  + platform
                  + " ("
                  + resource
                  + "); use a jar built for it");
        }
        libraries.add(new NativeUnpacker.Library(name, in.readAllBytes()));
      } catch (IOException e) {
        throw new NativeLoadException(
            "native library "
                + resource
                + " could not be read from the jar: "
                + e
                + "; is the jar complete?");
      }
    }
    return libraries;
  }
}
