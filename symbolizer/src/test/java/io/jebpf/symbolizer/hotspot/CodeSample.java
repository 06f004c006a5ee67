package io.jebpf.symbolizer.hotspot;

import io.jebpf.symbolizer.ProcessMemory;
import java.util.ArrayList;
import java.util.List;

/** What is in a JVM's code cache now: raw material for tests of the facade. */
public record CodeSample(
    List<Nmethod> compiled,
    List<Nmethod> wrappers,
    List<Long> stubs,
    long interpreterLow,
    long interpreterHigh) {

  public record Nmethod(long address, int compileId, int codeBytes, long method, long identity) {}

  public static CodeSample of(HotspotVm vm, ProcessMemory processMemory) {
    TargetMemory memory = new TargetMemory(processMemory);
    Blobs blobs = new Blobs(memory, vm.layout().blob());
    StringReader strings = new StringReader(memory);
    Methods methods = new Methods(new TargetMemory(processMemory), vm.layout().method());
    Knobs knobs = Knobs.of(vm);
    CodeSample sample =
        new CodeSample(
            new ArrayList<>(),
            new ArrayList<>(),
            new ArrayList<>(),
            knobs.at("interpreter_low"),
            knobs.at("interpreter_high"));
    List<Long> addresses = new ArrayList<>();
    vm.heaps().readingWith(memory).each(addresses::add);
    for (long address : addresses) {
      Blobs.Blob blob = blobs.at(address);
      String name = strings.at(blob.name());
      if (name.equals("nmethod") || name.equals("native nmethod")) {
        memory.begin();
        long method = memory.value(address, vm.layout().nmethod().method());
        Nmethod nmethod =
            new Nmethod(
                address,
                (int) memory.value(address, vm.layout().nmethod().compileId()),
                (int) (blob.codeEnd() - blob.codeBegin()),
                method,
                methods.identityOf(method));
        if (memory.ok()) {
          (name.equals("nmethod") ? sample.compiled : sample.wrappers).add(nmethod);
        }
      } else if (blob.exists()) {
        sample.stubs.add(address);
      }
    }
    return sample;
  }
}
