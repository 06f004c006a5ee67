/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unwinder's rules by name: RULE(NAME) in its sources. Each can be switched off, to show that some
 * recorded walk comes out otherwise without it.
 */
#ifndef JEBPF_RULES_H
#define JEBPF_RULES_H

#define RULES(X)                                                                                   \
	X(SCAN_STUB) \
	X(BARRIER_STUB) \
	X(FORWARD_EXCEPTION) \
	X(ADAPTER_PATCHES) \
	X(ADAPTER_BARRIER) \
	X(ENTRY_WRAPPER_ANCHOR) \
	X(ADAPTER_SENDER) \
	X(ADAPTER_POPPED) \
	X(STUB_STATE) \
	X(RETHROW) \
	X(HANDLER) \
	X(HANDLER_POPPED) \
	X(RETURNS_TO_CALL_STUB) \
	X(EXCEPTION_BLOB) \
	X(RUNTIME_FRAME) \
	X(CALLED_HERE) \
	X(FRAMELESS) \
	X(CONTINUATION_STUBS) \
	X(ENTRY) \
	X(ENTRY_BEGIN) \
	X(ENTRY_POPPED) \
	X(ENTRY_PUSHED) \
	X(ENTRY_FP) \
	X(INTERPRETER_THROW) \
	X(EXIT_LEFT) \
	X(EXIT_POPPED) \
	X(EXIT_RETURN) \
	X(PROLOGUE) \
	X(PROLOGUE_LEAF) \
	X(PROLOGUE_KEEP_FP) \
	X(EPILOGUE_RET) \
	X(EPILOGUE_POP) \
	X(EPILOGUE_JUMP) \
	X(EPILOGUE_POLL) \
	X(EPILOGUE_BRANCH) \
	X(RESERVED_STACK) \
	X(POLL_STUB) \
	X(VERIFIED_ENTRY) \
	X(SAVED_RSP) \
	X(OUT_OF_LINE_EXACT) \
	X(CONT_ENTRY) \
	X(FROZEN) \
	X(LEFT_CONTINUATION) \
	X(FROZEN_RELATIVE) \
	X(CHUNK_PARENT) \
	X(CALL_BEFORE) \
	X(TWO_LEVELS) \
	X(PUSHED_WORDS) \
	X(OUT_OF_LINE_DEPTH) \
	X(OUT_OF_LINE) \
	X(OUT_OF_LINE_CALLED) \
	X(DEOPT_IN_PROGRESS) \
	X(BCP_REGISTER) \
	X(WRAPPER_FP) \
	X(WRAPPER_FRAMELESS) \
	X(WRAPPER_PUSHED) \
	X(SENDER_SP) \
	X(RETURN_BARRIER) \
	X(FRAMELESS_INTERPRETER) \
	X(DEOPTED) \
	X(CONTINUATION_STUBS_CALLED) \
	X(CALL_BELONGS_BEFORE) \
	X(PLT) \
	X(SIGNAL) \
	X(CFA_REGISTER) \
	X(CUT_MARKER) \
	X(MOVED_ANCHOR) \
	X(MOUNTING) \
	X(STRING_SEARCH) \
	X(RSP_IN_RCX) \
	X(FREEZING) \
	X(POPPED_WORDS) \
	X(ANCHOR) \
	X(SECOND_TRY)

#define RULE_ENUM(name) RULE_##name,
#define RULE_TEXT(name) #name,
enum rule { RULES(RULE_ENUM) RULE_COUNT };
static const char *const RULE_NAMES[] = {RULES(RULE_TEXT)};
static int rule_off = -1; /* enum rule; -1: all are in force */

#define RULE(name) (rule_off != RULE_##name)

#endif
