package io.jebpf.agent.upload;

import io.jebpf.agent.pprof.ProfileSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** How one kind of server is talked to. Owner: thread "jebpf-sender". */
interface Protocol {
  /**
   * The requests that deliver what a source holds. A server takes each of them whole or not at all;
   * the same profile always gives the same requests.
   *
   * @param identity labels of the process that measured
   * @param entry the profile's name in the spool, the same after a restart
   */
  List<Call> calls(ProfileSource source, String kind, Map<String, String> identity, String entry)
      throws IOException;

  /** What an answer means; a missing one means {@link Verdict.Kind#RETRY}. */
  Verdict judge(Reply.Answer answer);

  /** Sets of labels that were put together because they were too many. */
  long labelsFolded();
}
