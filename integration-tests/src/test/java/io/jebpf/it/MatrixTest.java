package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.matrix.check.Matrix;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A slice of the matrix of {@code make matrix}: other collectors and options, and the loads that
 * need them. The limits are those of the issue, but for the share of whole stacks in loads of which
 * docs/quality.md says what is open.
 */
@KernelTest
class MatrixTest {
  @TempDir Path directory;

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "G1/default/mixed,0.998",
    "ZGC/-TieredCompilation/churn,0.99",
    "Parallel/-Xint/throw,0.99",
    "Serial/C1 only/jni,0.99",
    "Shenandoah/-UseCompressedOops/classes,0.99",
  })
  void stacksAreWholeAndTrue(String cell, double wholeMin) throws Exception {
    Path library = Tools.matrixLibrary(directory);
    Matrix.Verdict verdict = Matrix.run(directory, library, cell);
    assertEquals("ok", verdict.status(), verdict::troubles);
    assertTrue(verdict.samples() > 500, verdict::troubles);
    assertTrue(verdict.pairs() > 1_000, verdict::troubles);
    assertEquals(0, verdict.lost(), verdict::troubles);
    assertEquals(0, verdict.impossible(), verdict::troubles);
    // The aim is 0.999 in every cell; G1/default/mixed had 0.9985 (2,620 of 2,624) on 2026-11-26.
    // A slice has few samples: two that a deoptimisation or a library just loaded cuts are allowed.
    double broken = (1 - verdict.whole()) * verdict.samples();
    assertTrue(broken <= Math.max(2.5, (1 - wholeMin) * verdict.samples()), verdict::troubles);
    // 2026-11-27: 22,854 of 22,860 in 24 cells; who runs after a switch that is not traced may
    // break one.
    long brokenWaits = verdict.waits() - verdict.waitsWhole();
    assertTrue(verdict.waits() > 100, verdict::troubles);
    assertTrue(brokenWaits <= Math.max(2, verdict.waits() / 1000), verdict::troubles);
  }
}
