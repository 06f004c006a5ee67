package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Knobs, set in the unloaded object: needs no rights. */
class KnobTest {
  private KernelObject object;
  private ByteBuffer config;
  private Btf btf;

  @BeforeEach
  void open() throws KernelException {
    BpfCalls real = Kernel.runtime().bpf();
    BpfCalls spy =
        (BpfCalls)
            Proxy.newProxyInstance(
                KnobTest.class.getClassLoader(),
                new Class<?>[] {BpfCalls.class},
                (proxy, method, arguments) -> {
                  Object result = method.invoke(real, arguments);
                  if (method.getName().equals("mapInitialValue")) {
                    config = (ByteBuffer) result;
                  } else if (method.getName().equals("objectBtf")) {
                    btf = Btf.parse((byte[]) result);
                  }
                  return result;
                });
    NativeRuntime runtime = new NativeRuntime(Kernel.runtime().kernel(), spy, List.of());
    object = KernelObject.open(runtime, Kernel.testObject());
  }

  @AfterEach
  void close() {
    object.close();
  }

  private int offset(String field) {
    return btf.field(btf.struct("jebpf_config"), field).orElseThrow().offset();
  }

  private String refused(Runnable action) {
    return assertThrows(IllegalArgumentException.class, action::run).getMessage();
  }

  @Test
  void fieldsOfEveryWidth() {
    object.knob("depth_max", 0xfffffffeL);
    object.knob("code_low", -2);
    object.knob("blob_name", 0xffff);
    object.knob("heaps", 2, "segmap", 0x7f0000001234L);
    object.knob("heaps", 2, "shift", 7);
    object.knob("entry_codelets", 63, "pop_rax", 0xffffffffL);
    assertEquals(-2, config.getInt(offset("depth_max")));
    assertEquals(-2, config.getLong(offset("code_low")));
    assertEquals(-1, config.getShort(offset("blob_name")));
    assertEquals(0, config.getShort(offset("blob_name") + 2), "the neighbour is untouched");
    Btf.Field heaps = btf.field(btf.struct("jebpf_config"), "heaps").orElseThrow();
    int heap = heaps.offset() + 2 * heaps.bytes();
    assertEquals(0x7f0000001234L, config.getLong(heap + 16));
    assertEquals(7, config.getInt(heap + 24));
    Btf.Field codelets = btf.field(btf.struct("jebpf_config"), "entry_codelets").orElseThrow();
    assertEquals(-1, config.getInt(codelets.offset() + 63 * codelets.bytes() + 12));
  }

  @Test
  void whatIsNotThereIsRefusedByName() {
    assertTrue(refused(() -> object.knob("no_such", 1)).contains("no_such"));
    assertTrue(refused(() -> object.knob("heaps", 1)).contains("heaps"));
    assertTrue(refused(() -> object.knob("heaps", 4, "low", 1)).contains("heaps[4].low"));
    assertTrue(refused(() -> object.knob("heaps", -1, "low", 1)).contains("heaps[-1].low"));
    assertTrue(refused(() -> object.knob("heaps", 0, "nothing", 1)).contains("nothing"));
    assertTrue(refused(() -> object.knob("code_low", 0, "low", 1)).contains("code_low"));
  }

  @Test
  void valuesThatDoNotFitAreRefused() {
    assertTrue(refused(() -> object.knob("blob_name", 0x10000)).contains("65536"));
    assertTrue(refused(() -> object.knob("depth_max", 1L << 32)).contains("depth_max"));
    object.knob("blob_name", -1); // fits as a negative number
    refused(() -> object.knob("blob_name", -32769));
  }

  @Test
  void ringSizesAreChecked() throws KernelException {
    object.ringBytes(5000);
    refused(() -> ringBytes(1));
    refused(() -> ringBytes(Integer.MAX_VALUE));
  }

  private void ringBytes(int bytes) {
    try {
      object.ringBytes(bytes);
    } catch (KernelException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void closedMeansClosed() {
    object.close();
    object.close();
    assertThrows(IllegalStateException.class, () -> object.knob("depth_max", 1));
    assertThrows(IllegalStateException.class, () -> object.load());
  }
}
