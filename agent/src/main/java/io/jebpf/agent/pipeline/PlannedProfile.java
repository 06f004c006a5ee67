package io.jebpf.agent.pipeline;

import io.jebpf.agent.pprof.ProfileHeader;
import io.jebpf.agent.pprof.ProfileKind;

/** One of the profiles that a window becomes. */
record PlannedProfile(ProfileKind kind, ProfileHeader header) {}
