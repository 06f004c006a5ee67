package io.jebpf.agent.attach;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jebpf.agent.attach.AttachRequest.Kind;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AttachRequestTest {
  @Test
  void optionsAreLeftAsTheyAre() {
    assertEquals(
        new AttachRequest(Kind.CHANGE, "cpu=99,labels=a:b;c:d", Optional.empty()),
        AttachRequest.parse("cpu=99,labels=a:b;c:d"));
    assertEquals(new AttachRequest(Kind.CHANGE, "", Optional.empty()), AttachRequest.parse(""));
    assertEquals("nonsense", AttachRequest.parse("nonsense").options());
  }

  @Test
  void quotesOfJcmdAreTakenOff() {
    assertEquals("cpu=99", AttachRequest.parse("'cpu=99'").options());
    assertEquals("cpu=99", AttachRequest.parse("\"cpu=99\"").options());
    assertEquals("'", AttachRequest.parse("'").options());
  }

  @Test
  void commandsAndTheWayBackAreNoOptions() {
    assertEquals(
        new AttachRequest(Kind.DETACH, "", Optional.of(Path.of("/tmp/x"))),
        AttachRequest.parse("attach.channel=/tmp/x,detach"));
    assertEquals(Kind.DETACH, AttachRequest.parse("detach").kind());
  }

  @Test
  void newerOptionsReplaceOlderOnesKeyByKey() {
    assertEquals("window=5s,cpu=499", AttachRequest.merged("cpu=99,window=5s", "cpu=499"));
    assertEquals("cpu=99", AttachRequest.merged("", "cpu=99"));
    assertEquals("cpu=99", AttachRequest.merged("cpu=99", ""));
    assertEquals("cpu=99,wrong", AttachRequest.merged("cpu=99", "wrong"));
  }
}
