/* SPDX-License-Identifier: Apache-2.0 */
/* JNI side of io.jebpf.it.workload.NativeLoad. Compiled by the tests with -O2 -fomit-frame-pointer. */
#include <jni.h>

__attribute__((noinline)) static unsigned long jebpf_it_inner(unsigned long x, int steps)
{
	for (int i = 0; i < steps; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	return x;
}

__attribute__((noinline)) static unsigned long jebpf_it_middle(unsigned long x, int steps)
{
	volatile unsigned long pad[40]; /* a frame of some size */

	pad[steps % 40] = jebpf_it_inner(x, steps);
	return pad[steps % 40] + 1;
}

__attribute__((noinline)) static unsigned long jebpf_it_outer(unsigned long x, int steps)
{
	return jebpf_it_middle(x, steps) + 1;
}

JNIEXPORT jlong JNICALL Java_io_jebpf_it_workload_NativeLoad_nativeWork(JNIEnv *env, jclass type,
									jint steps)
{
	(void)env;
	(void)type;
	return (jlong)(jebpf_it_outer(88172645463325252UL, steps) + 1);
}

JNIEXPORT jlong JNICALL Java_io_jebpf_it_workload_NativeLoad_nativeUpcall(JNIEnv *env, jclass type,
									  jint calls)
{
	jmethodID method = (*env)->GetStaticMethodID(env, type, "fromNative", "(J)J");
	jlong value = 1;

	if (!method)
		return 0;
	for (int i = 0; i < calls && !(*env)->ExceptionCheck(env); i++)
		value = (*env)->CallStaticLongMethod(env, type, method, value);
	return value;
}
