package io.jebpf.agent.upload;

import java.util.Map;

/**
 * One request: always a POST.
 *
 * @param path behind the server's URL
 * @param headers without those of authentication
 */
public record Call(String path, Map<String, String> headers, byte[] body) {}
