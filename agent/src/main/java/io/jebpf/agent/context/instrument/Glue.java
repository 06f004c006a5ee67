package io.jebpf.agent.context.instrument;

import java.util.function.Consumer;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.Label;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;

/**
 * Makes the small classes that read a library's objects for the hook. Each is defined, hidden, in
 * the package of the class whose call site asks for it, so it sees the library as that class does,
 * whichever copy of it that is. Each has one method, {@code call}, that throws nothing: the first
 * failure switches it off.
 *
 * <p>Written with the ASM inside Byte Buddy: its builder of new classes takes 250 classes more and
 * 0.15 s at the first use, for one method that is instructions anyway.
 *
 * <pre>
 *   static boolean off;
 *   static void call(…) {
 *     [ThreadLocal.set]
 *     if (off) return;
 *     try { … } catch (Throwable e) { off = true; hook.failed(); hook.none() }
 *   }
 * </pre>
 */
final class Glue {
  static final String OTEL_SET = "otelSet";
  static final String OTEL_NAMED = "otelNamed";
  static final String BRAVE_SET = "braveSet";
  static final String SERVLET_REQUEST = "servletRequest";
  static final String HTTP_EXCHANGE = "httpExchange";

  static final String METHOD = "call";
  private static final String NAME = "JebpfGlue";
  private static final String OFF = "off";

  private static final String STRING = "()Ljava/lang/String;";

  private final String hook;
  private final String prefix;
  private final String owner;
  private final String name;
  private final String descriptor;
  private MethodVisitor code;

  private Glue(String hook, String prefix, String owner, String name, String descriptor) {
    this.hook = hook;
    this.prefix = prefix;
    this.owner = owner;
    this.name = name;
    this.descriptor = descriptor;
  }

  /**
   * Bytes of the class that one kind of call site is linked to.
   *
   * @param packageName of the class with the call site, dotted
   * @param descriptor of the call site
   */
  static byte[] make(
      String name, String hook, String packageName, String prefix, String descriptor) {
    String owner = packageName.replace('.', '/') + "/" + NAME;
    return new Glue(hook, prefix, owner, name, descriptor).make();
  }

  private byte[] make() {
    ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_MAXS);
    writer.visit(
        Opcodes.V1_8,
        Opcodes.ACC_FINAL | Opcodes.ACC_SUPER | Opcodes.ACC_SYNTHETIC,
        owner,
        null,
        "java/lang/Object",
        null);
    writer.visitField(Opcodes.ACC_PRIVATE | Opcodes.ACC_STATIC, OFF, "Z", null, null).visitEnd();
    code = writer.visitMethod(Opcodes.ACC_STATIC, METHOD, descriptor, null, null);
    code.visitCode();
    boolean sets = name.equals(OTEL_SET) || name.equals(BRAVE_SET);
    int argument = sets ? 1 : 0;
    if (sets) {
      code.visitVarInsn(Opcodes.ALOAD, 0);
      code.visitVarInsn(Opcodes.ALOAD, 1);
      virtual("java/lang/ThreadLocal", "set", "(Ljava/lang/Object;)V");
    }
    Object[] locals =
        sets
            ? new Object[] {"java/lang/ThreadLocal", "java/lang/Object"}
            : new Object[] {"java/lang/Object"};
    guarded(locals, body(argument, locals));
    code.visitMaxs(0, 0);
    code.visitEnd();
    writer.visitEnd();
    return writer.toByteArray();
  }

  private Consumer<Label> body(int argument, Object[] locals) {
    return switch (name) {
      case OTEL_SET -> end -> otelSet(argument, locals);
      case BRAVE_SET -> end -> braveSet(argument, locals);
      case OTEL_NAMED -> end -> otelNamed(argument, end);
      case SERVLET_REQUEST -> end -> servletRequest(argument, end);
      case HTTP_EXCHANGE -> end -> httpExchange(argument);
      default -> throw new IllegalArgumentException("no glue " + name);
    };
  }

  /** Around the body: the switch, and the handler that throws it. */
  private void guarded(Object[] locals, Consumer<Label> body) {
    Label on = new Label();
    Label start = new Label();
    Label end = new Label();
    Label handler = new Label();
    code.visitTryCatchBlock(start, end, handler, "java/lang/Throwable");
    code.visitFieldInsn(Opcodes.GETSTATIC, owner, OFF, "Z");
    code.visitJumpInsn(Opcodes.IFEQ, on);
    code.visitInsn(Opcodes.RETURN);
    code.visitLabel(on);
    frame(locals);
    code.visitLabel(start);
    body.accept(end);
    code.visitLabel(end);
    frame(locals);
    code.visitInsn(Opcodes.RETURN);
    code.visitLabel(handler);
    code.visitFrame(Opcodes.F_FULL, locals.length, locals, 1, new Object[] {"java/lang/Throwable"});
    code.visitInsn(Opcodes.POP);
    code.visitInsn(Opcodes.ICONST_1);
    code.visitFieldInsn(Opcodes.PUTSTATIC, owner, OFF, "Z");
    hook("failed", "()V");
    hook("none", "()V");
    code.visitInsn(Opcodes.RETURN);
  }

  private void otelSet(int argument, Object[] locals) {
    String span = prefix + "io/opentelemetry/api/trace/Span";
    String spanContext = prefix + "io/opentelemetry/api/trace/SpanContext";
    String context = prefix + "io/opentelemetry/context/Context";
    Label none = new Label();
    Label noSpan = new Label();
    Label done = new Label();
    code.visitVarInsn(Opcodes.ALOAD, argument);
    code.visitJumpInsn(Opcodes.IFNULL, none);
    code.visitVarInsn(Opcodes.ALOAD, argument);
    code.visitTypeInsn(Opcodes.CHECKCAST, context);
    code.visitMethodInsn(
        Opcodes.INVOKESTATIC, span, "fromContextOrNull", "(L" + context + ";)L" + span + ";", true);
    code.visitInsn(Opcodes.DUP);
    code.visitJumpInsn(Opcodes.IFNULL, noSpan);
    abstractly(span, "getSpanContext", "()L" + spanContext + ";");
    code.visitInsn(Opcodes.DUP);
    abstractly(spanContext, "getTraceId", STRING);
    code.visitInsn(Opcodes.SWAP);
    abstractly(spanContext, "getSpanId", STRING);
    hook("span", "(Ljava/lang/String;Ljava/lang/String;)V");
    code.visitJumpInsn(Opcodes.GOTO, done);
    code.visitLabel(noSpan);
    code.visitFrame(Opcodes.F_FULL, locals.length, locals, 1, new Object[] {span});
    code.visitInsn(Opcodes.POP);
    code.visitLabel(none);
    frame(locals);
    hook("none", "()V");
    code.visitLabel(done);
  }

  private void braveSet(int argument, Object[] locals) {
    String context = prefix + "brave/propagation/TraceContext";
    Label none = new Label();
    Label done = new Label();
    code.visitVarInsn(Opcodes.ALOAD, argument);
    code.visitJumpInsn(Opcodes.IFNULL, none);
    for (String id : new String[] {"traceIdHigh", "traceId", "spanId"}) {
      code.visitVarInsn(Opcodes.ALOAD, argument);
      code.visitTypeInsn(Opcodes.CHECKCAST, context);
      virtual(context, id, "()J");
    }
    code.visitInsn(Opcodes.ICONST_0);
    hook("span", "(JJJB)V");
    code.visitJumpInsn(Opcodes.GOTO, done);
    code.visitLabel(none);
    frame(locals);
    hook("none", "()V");
    code.visitLabel(done);
  }

  /** A root: a span whose parent is not in this process. {@code owner}'s package is the SDK's. */
  private void otelNamed(int argument, Label end) {
    String sdkSpan = owner.substring(0, owner.lastIndexOf('/')) + "/ReadableSpan";
    String spanContext = prefix + "io/opentelemetry/api/trace/SpanContext";
    Label root = new Label();
    code.visitVarInsn(Opcodes.ALOAD, argument);
    code.visitTypeInsn(Opcodes.CHECKCAST, sdkSpan);
    abstractly(sdkSpan, "getParentSpanContext", "()L" + spanContext + ";");
    abstractly(spanContext, "isValid", "()Z");
    code.visitJumpInsn(Opcodes.IFEQ, root);
    code.visitVarInsn(Opcodes.ALOAD, argument);
    code.visitTypeInsn(Opcodes.CHECKCAST, sdkSpan);
    abstractly(sdkSpan, "getParentSpanContext", "()L" + spanContext + ";");
    abstractly(spanContext, "isRemote", "()Z");
    code.visitJumpInsn(Opcodes.IFEQ, end);
    code.visitLabel(root);
    frame(new Object[] {"java/lang/Object"});
    code.visitVarInsn(Opcodes.ALOAD, argument);
    code.visitTypeInsn(Opcodes.CHECKCAST, sdkSpan);
    code.visitInsn(Opcodes.DUP);
    abstractly(sdkSpan, "getSpanContext", "()L" + spanContext + ";");
    abstractly(spanContext, "getTraceId", STRING);
    code.visitInsn(Opcodes.SWAP);
    abstractly(sdkSpan, "getName", STRING);
    hook("named", "(Ljava/lang/String;Ljava/lang/String;)V");
  }

  private void servletRequest(int argument, Label end) {
    String request = prefix + "servlet/http/HttpServletRequest";
    code.visitVarInsn(Opcodes.ALOAD, argument);
    code.visitTypeInsn(Opcodes.INSTANCEOF, request);
    code.visitJumpInsn(Opcodes.IFEQ, end);
    code.visitVarInsn(Opcodes.ALOAD, argument);
    code.visitTypeInsn(Opcodes.CHECKCAST, request);
    code.visitInsn(Opcodes.DUP);
    abstractly(request, "getMethod", STRING);
    code.visitInsn(Opcodes.SWAP);
    abstractly(request, "getRequestURI", STRING);
    hook("enter", "(Ljava/lang/String;Ljava/lang/String;)V");
  }

  /** The server's contexts are its routes. */
  private void httpExchange(int argument) {
    String exchange = "com/sun/net/httpserver/HttpExchange";
    String context = "com/sun/net/httpserver/HttpContext";
    code.visitVarInsn(Opcodes.ALOAD, argument);
    code.visitTypeInsn(Opcodes.CHECKCAST, exchange);
    code.visitInsn(Opcodes.DUP);
    virtual(exchange, "getRequestMethod", STRING);
    code.visitInsn(Opcodes.SWAP);
    virtual(exchange, "getHttpContext", "()L" + context + ";");
    virtual(context, "getPath", STRING);
    hook("enter", "(Ljava/lang/String;Ljava/lang/String;)V");
  }

  private void frame(Object[] locals) {
    code.visitFrame(Opcodes.F_FULL, locals.length, locals, 0, new Object[0]);
  }

  private void abstractly(String type, String method, String descriptor) {
    code.visitMethodInsn(Opcodes.INVOKEINTERFACE, type, method, descriptor, true);
  }

  private void virtual(String type, String method, String descriptor) {
    code.visitMethodInsn(Opcodes.INVOKEVIRTUAL, type, method, descriptor, false);
  }

  private void hook(String method, String descriptor) {
    code.visitMethodInsn(Opcodes.INVOKESTATIC, hook, method, descriptor, false);
  }
}
