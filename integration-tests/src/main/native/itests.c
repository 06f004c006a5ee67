/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JNI side of io.jebpf.it.workload.NativeLoad and io.jebpf.it.context.SharedLoad. Compiled by the tests
 * with -O2 -fomit-frame-pointer.
 */
#define _GNU_SOURCE
#include <jni.h>
#include <pthread.h>
#include <unistd.h>

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

static JavaVM *machine;
static jclass shared_load;

/* A thread of native code that is a Java thread for a moment, and leaves in the middle of a span. */
static void *visit(void *unused)
{
	JavaVMAttachArgs arguments = { JNI_VERSION_1_8, NULL, NULL };
	JNIEnv *env;

	(void)unused;
	pthread_setname_np(pthread_self(), "visitor");
	if ((*machine)->AttachCurrentThread(machine, (void **)&env, &arguments))
		return NULL;
	jmethodID method = (*env)->GetStaticMethodID(env, shared_load, "openAndLeave", "()V");

	if (method)
		(*env)->CallStaticVoidMethod(env, shared_load, method);
	(*machine)->DetachCurrentThread(machine);
	pthread_setname_np(pthread_self(), "left");
	for (;;)
		pause();
}

JNIEXPORT jint JNICALL Java_io_jebpf_it_context_SharedLoad_visit(JNIEnv *env, jclass type)
{
	pthread_t thread;

	(*env)->GetJavaVM(env, &machine);
	shared_load = (*env)->NewGlobalRef(env, type);
	return pthread_create(&thread, NULL, visit, NULL);
}
