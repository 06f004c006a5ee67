package io.jebpf.symbolizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FrameTest {
  @ParameterizedTest
  @CsvSource({
    "java.lang.invoke.LambdaForm$MH.invoke,true",
    "java.lang.invoke.LambdaForm$DMH.invokeStatic,true",
    "java.lang.invoke.Invokers$Holder.linkToTargetMethod,true",
    "java.lang.invoke.DirectMethodHandle$Holder.newInvokeSpecial,true",
    "java.lang.invoke.MethodHandles.lookup,false",
    "java.lang.invoke.MethodHandle.invokeBasic,false",
    "a.V$$Lambda.run,false",
    "mine.java.lang.invoke.LambdaForm$MH.invoke,false",
    "a.Some$Holder.get,false",
  })
  void hidesWhatLinksMethodHandles(String function, boolean hidden) {
    assertEquals(hidden, new Frame(FrameKind.COMPILED, function, "", 0, "", true).hidden());
  }
}
