/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JNI side of io.jebpf.it.matrix.JniLoad. The tests build it twice: as compilers do, and with
 * -fomit-frame-pointer -fno-asynchronous-unwind-tables, which leaves no way to unwind its frames.
 */
#include <jni.h>

static jmethodID back;

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *vm, void *reserved)
{
	(void)vm;
	(void)reserved;
	return JNI_VERSION_1_8;
}

__attribute__((noinline)) static unsigned long burn(unsigned long x, int steps)
{
	for (int i = 0; i < steps; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	return x;
}

__attribute__((noinline)) static unsigned long recurse(int depth, int steps)
{
	volatile unsigned long pad[9];

	pad[depth % 9] = depth ? recurse(depth - 1, steps) : burn(88172645463325252UL, steps);
	return pad[depth % 9] + burn(depth, steps / 10);
}

JNIEXPORT jlong JNICALL Java_io_jebpf_it_matrix_JniLoad_plain(JNIEnv *env, jclass type, jint depth,
							      jint steps)
{
	(void)env;
	(void)type;
	return (jlong)recurse(depth, steps);
}

JNIEXPORT jlong JNICALL Java_io_jebpf_it_matrix_JniLoad_nested(JNIEnv *env, jclass type, jint depth,
							       jint kind)
{
	if (!back)
		back = (*env)->GetStaticMethodID(env, type, "back", "(II)J");
	if (!back)
		return 0;
	return (*env)->CallStaticLongMethod(env, type, back, depth, kind) + (jlong)burn(depth, 50);
}

JNIEXPORT jlong JNICALL Java_io_jebpf_it_matrix_JniLoad_critical(JNIEnv *env, jclass type,
								 jintArray values)
{
	jint count = (*env)->GetArrayLength(env, values);
	jint *ints = (*env)->GetPrimitiveArrayCritical(env, values, 0);
	unsigned long sum = 0;

	(void)type;
	if (!ints)
		return 0;
	for (jint i = 0; i < count; i++)
		sum += burn(ints[i] + i, 3);
	(*env)->ReleasePrimitiveArrayCritical(env, values, ints, 0);
	return (jlong)sum;
}

JNIEXPORT jlong JNICALL Java_io_jebpf_it_matrix_JniLoad_many(JNIEnv *env, jclass type, jint a,
							     jdouble b, jobject c, jint d, jlong e,
							     jfloat f, jbyteArray g, jint h, jint i,
							     jint j, jlong k, jdouble l)
{
	(void)type;
	return (jlong)(a + b + d + e + f + h + i + j + k + l) + (*env)->GetArrayLength(env, g) +
	       (*env)->IsSameObject(env, c, g);
}
