package io.jebpf.agent.context.instrument;

import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Handle;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Puts calls of the hook into a class. Methods, fields and the stack maps of existing code stay as
 * they are, so that a loaded class can be changed, and changed back.
 *
 * <p>What the hook needs from a library's objects is read by a small class of its own in the
 * library's package ({@link Glue}), to which the call sites are linked at their first use.
 */
final class Rewriter extends ClassVisitor {
  private static final int API = Opcodes.ASM9;
  private static final String LINK_SIGNATURE =
      "(Ljava/lang/invoke/MethodHandles$Lookup;Ljava/lang/String;Ljava/lang/invoke/MethodType;"
          + "Ljava/lang/String;)Ljava/lang/invoke/CallSite;";

  private final Target target;
  private final String prefix;
  private final Handle link;
  private final String hook;
  private int version; // call sites that are linked exist from Java 7 on
  private int changes;

  private Rewriter(ClassWriter to, Target target, String prefix, String hook) {
    super(API, to);
    this.target = target;
    this.prefix = prefix;
    this.hook = hook;
    this.link = new Handle(Opcodes.H_INVOKESTATIC, hook, "link", LINK_SIGNATURE, false);
  }

  /** A class changed, and in how many places. */
  record Result(byte[] classFile, int changes) {}

  /**
   * Changes a class.
   *
   * @param hook internal name of the hook
   */
  static Result rewrite(byte[] classFile, Target target, String prefix, String hook) {
    ClassReader reader = new ClassReader(classFile);
    String libraryPrefix = target == Target.OTEL_SPAN ? apiPrefix(reader, prefix) : prefix;
    ClassWriter writer = new ClassWriter(reader, ClassWriter.COMPUTE_MAXS);
    Rewriter rewriter = new Rewriter(writer, target, libraryPrefix, hook);
    reader.accept(rewriter, 0);
    return new Result(writer.toByteArray(), rewriter.changes);
  }

  /** The OpenTelemetry agent relocates the API, not the SDK: the span says which API it is of. */
  private static String apiPrefix(ClassReader reader, String otherwise) {
    String[] found = {otherwise};
    reader.accept(
        new ClassVisitor(API) {
          @Override
          public MethodVisitor visitMethod(
              int access, String name, String descriptor, String signature, String[] exceptions) {
            int end = descriptor.indexOf("io/opentelemetry/api/trace/SpanContext;");
            if (name.equals("getSpanContext") && end > 0) {
              found[0] = descriptor.substring("()L".length(), end);
            }
            return null;
          }
        },
        ClassReader.SKIP_CODE | ClassReader.SKIP_DEBUG);
    return found[0];
  }

  @Override
  public void visit(
      int classVersion,
      int access,
      String name,
      String signature,
      String superName,
      String[] interfaces) {
    // Java 6 has stack maps as Java 7 demands them, so such a class can be one of Java 7
    int raised = (classVersion & 0xffff) == Opcodes.V1_6 ? Opcodes.V1_7 : classVersion;
    version = raised & 0xffff;
    super.visit(raised, access, name, signature, superName, interfaces);
  }

  @Override
  public MethodVisitor visitMethod(
      int access, String name, String descriptor, String signature, String[] exceptions) {
    MethodVisitor to = super.visitMethod(access, name, descriptor, signature, exceptions);
    if (to == null || (access & (Opcodes.ACC_ABSTRACT | Opcodes.ACC_NATIVE)) != 0) {
      return to;
    }
    return switch (target) {
      case OTEL_CONTEXT -> version >= Opcodes.V1_7 ? new Setting(to, Glue.OTEL_SET) : to;
      case BRAVE_CONTEXT -> version >= Opcodes.V1_7 ? new Setting(to, Glue.BRAVE_SET) : to;
      case OTEL_SPAN -> span(to, access, name, descriptor);
      case SERVLET -> isServe(name, descriptor) ? new Request(to, Glue.SERVLET_REQUEST) : to;
      case HTTP_SERVER -> name.equals("doFilter") ? new Request(to, Glue.HTTP_EXCHANGE) : to;
      case LABELS -> labels(to, name, descriptor);
    };
  }

  private static boolean isServe(String name, String descriptor) {
    return name.equals("service") && descriptor.contains("/ServletRequest;");
  }

  private MethodVisitor span(MethodVisitor to, int access, String name, String descriptor) {
    boolean started = name.equals("startSpan") && (access & Opcodes.ACC_STATIC) != 0;
    boolean renamed = name.equals("updateName") && (access & Opcodes.ACC_BRIDGE) == 0;
    if (version < Opcodes.V1_7 || !(started || renamed)) {
      return to;
    }
    return new MethodVisitor(API, to) {
      @Override
      public void visitInsn(int opcode) {
        if (opcode == Opcodes.ARETURN) {
          super.visitInsn(Opcodes.DUP); // both return the span
          callSite(this, Glue.OTEL_NAMED, "(Ljava/lang/Object;)V");
        }
        super.visitInsn(opcode);
      }
    };
  }

  private void callSite(MethodVisitor at, String name, String descriptor) {
    changes++;
    at.visitInvokeDynamicInsn(name, descriptor, link, prefix);
  }

  /** Instead of ThreadLocal.set, a call that does the same and tells the hook. */
  private final class Setting extends MethodVisitor {
    private final String glue;

    Setting(MethodVisitor to, String glue) {
      super(API, to);
      this.glue = glue;
    }

    @Override
    public void visitMethodInsn(
        int opcode, String owner, String name, String descriptor, boolean isInterface) {
      if (owner.equals("java/lang/ThreadLocal") && name.equals("set")) {
        callSite(this, glue, "(Ljava/lang/ThreadLocal;Ljava/lang/Object;)V");
      } else {
        super.visitMethodInsn(opcode, owner, name, descriptor, isInterface);
      }
    }
  }

  /** Tells the hook of the first argument at the begin, and of the end however it comes. */
  private final class Request extends MethodVisitor {
    private final Label start = new Label();
    private final String glue;

    Request(MethodVisitor to, String glue) {
      super(API, to);
      this.glue = glue;
    }

    @Override
    public void visitCode() {
      super.visitCode();
      if (version >= Opcodes.V1_7) {
        super.visitVarInsn(Opcodes.ALOAD, 1);
        callSite(this, glue, "(Ljava/lang/Object;)V");
      }
      super.visitLabel(start);
    }

    @Override
    public void visitInsn(int opcode) {
      if (opcode == Opcodes.RETURN) {
        end();
      }
      super.visitInsn(opcode);
    }

    @Override
    public void visitMaxs(int maxStack, int maxLocals) {
      Label handler = new Label();
      super.visitTryCatchBlock(start, handler, handler, null);
      super.visitLabel(handler);
      super.visitFrame(Opcodes.F_FULL, 0, new Object[0], 1, new Object[] {"java/lang/Throwable"});
      end();
      super.visitInsn(Opcodes.ATHROW);
      super.visitMaxs(maxStack, maxLocals);
    }

    private void end() {
      changes++;
      super.visitMethodInsn(Opcodes.INVOKESTATIC, hook, "exit", "()V", false);
    }
  }

  /** The two methods of our API that do nothing without an agent. */
  private MethodVisitor labels(MethodVisitor to, String name, String descriptor) {
    boolean push =
        name.equals("push") && descriptor.equals("(Ljava/lang/String;Ljava/lang/String;)I");
    boolean pop = name.equals("pop") && descriptor.equals("(I)V");
    if (!push && !pop) {
      return to;
    }
    changes++;
    to.visitCode();
    if (push) {
      to.visitVarInsn(Opcodes.ALOAD, 0);
      to.visitVarInsn(Opcodes.ALOAD, 1);
    } else {
      to.visitVarInsn(Opcodes.ILOAD, 0);
    }
    to.visitMethodInsn(Opcodes.INVOKESTATIC, hook, name, descriptor, false);
    to.visitInsn(push ? Opcodes.IRETURN : Opcodes.RETURN);
    to.visitMaxs(0, 0);
    to.visitEnd();
    return new MethodVisitor(API) {}; // the old body goes nowhere
  }
}
