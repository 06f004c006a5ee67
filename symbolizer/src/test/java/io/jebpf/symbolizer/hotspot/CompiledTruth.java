package io.jebpf.symbolizer.hotspot;

import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Decodes every PcDesc of every nmethod of a JVM and compares each inline chain with the class
 * files: the methods exist, the bci is inside, the line is that of the LineNumberTable, and each
 * caller has, at its bci, a call of a method with the callee's name.
 */
final class CompiledTruth {
  int nmethods;
  int pcs;
  int scopes;
  int inlined;
  int methodOnly;
  int lines;
  int calls;
  final List<String> errors = new ArrayList<>();
  private final HotspotVm vm;
  private final TargetMemory memory;
  private final Nmethods decoder;
  private final Methods methods;
  private final List<Path> classRoots;
  private final Map<String, Optional<ClassFileMethods>> classFiles = new HashMap<>();

  CompiledTruth(HotspotVm vm, ProcMemory processMemory, FileSystem jrt, Path... more)
      throws IOException {
    this.vm = vm;
    this.memory = new TargetMemory(processMemory);
    this.decoder = new Nmethods(memory, vm.layout());
    this.methods = new Methods(memory, vm.layout().method());
    this.classRoots = new ArrayList<>(List.of(more));
    try (var modules = Files.list(jrt.getPath("modules"))) {
      modules.forEach(classRoots::add);
    }
  }

  void checkAll() {
    Blobs blobs = new Blobs(memory, vm.layout().blob());
    StringReader strings = new StringReader(memory);
    List<Long> found = new ArrayList<>();
    vm.heaps().readingWith(memory).each(found::add);
    for (long address : found) {
      Blobs.Blob blob = blobs.at(address);
      if (strings.at(blob.name()).equals("nmethod")) {
        nmethods++;
        check(blob);
      }
    }
  }

  private void check(Blobs.Blob blob) {
    memory.begin();
    int compileId = (int) memory.value(blob.address(), vm.layout().nmethod().compileId());
    int codeBytes = (int) (blob.codeEnd() - blob.codeBegin());
    Nmethods.Decoding last = null;
    for (int offset = 0; offset <= codeBytes; offset++) {
      Nmethods.Decoding decoding = decoder.decode(blob.address(), compileId, offset);
      if (decoding instanceof Nmethods.Decoding.Replaced) {
        return; // flushed meanwhile
      }
      pcs++;
      if (!decoding.equals(last)) {
        last = decoding;
        switch (decoding) {
          case Nmethods.Decoding.Scopes(List<Nmethods.Scope> chain, boolean c1) ->
              chain(blob, chain);
          case Nmethods.Decoding.MethodOnly only -> methodOnly++;
          default -> errors.add(decoding + " at " + blob);
        }
      }
      if (offset > 64) {
        offset += 12; // every pc of the prologue, then a stride that is no instruction size
      }
    }
  }

  private void chain(Blobs.Blob blob, List<Nmethods.Scope> chain) {
    String callee = "";
    for (Nmethods.Scope scope : chain) {
      MethodInfo info = methods.at(scope.method());
      scopes++;
      if (!info.exists()) {
        errors.add("no method for " + scope + " in " + blob);
        return;
      }
      int dot = info.function().lastIndexOf('.');
      String name = info.function().substring(dot + 1);
      Optional<ClassFileMethods> file = classFile(info.function().substring(0, dot));
      if (file.isPresent()) {
        check(info, name, Math.max(scope.bci(), 0), file.get(), callee);
      }
      inlined += callee.isEmpty() ? 0 : 1;
      callee = name;
    }
  }

  private void check(MethodInfo info, String name, int bci, ClassFileMethods file, String callee) {
    int line = methods.line(info, bci);
    boolean nameAndSize = false;
    boolean lineFits = false;
    boolean callFits = false;
    String seen = "";
    for (ClassFileMethods.Method method : file.named(name)) {
      if (method.code().length == info.bytecodeBytes() && bci < method.code().length) {
        nameAndSize = true;
        boolean sameLine = method.line(bci) == line;
        lineFits |= sameLine;
        String called = callee.isEmpty() ? "" : file.called(method, bci);
        seen += " line " + method.line(bci) + " calls " + called;
        callFits |= sameLine && (callee.isEmpty() || fits(called, callee, info.function()));
      }
    }
    lines++;
    calls += callee.isEmpty() ? 0 : 1;
    if (!nameAndSize || !lineFits || !callFits) {
      errors.add(
          info + " bci " + bci + " line " + line + " callee '" + callee + "'; class file:" + seen);
    }
  }

  /** Method handle linkage puts hidden adapters between a call and its target. */
  private static boolean fits(String called, String callee, String caller) {
    return called.equals(callee)
        || called.equals("?")
        || caller.startsWith("java.lang.invoke.")
        || called.equals("<init>") && callee.equals("<init>")
        || called.equals("invokeExact")
        || called.equals("invoke");
  }

  private Optional<ClassFileMethods> classFile(String className) {
    return classFiles.computeIfAbsent(
        className,
        key -> {
          for (Path root : classRoots) {
            Path path = root.resolve(key.replace('.', '/') + ".class");
            if (Files.exists(path)) {
              try {
                return Optional.of(new ClassFileMethods(Files.readAllBytes(path)));
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            }
          }
          return Optional.empty();
        });
  }
}
