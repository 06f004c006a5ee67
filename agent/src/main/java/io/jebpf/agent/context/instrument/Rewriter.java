package io.jebpf.agent.context.instrument;

import net.bytebuddy.ByteBuddy;
import net.bytebuddy.asm.AsmVisitorWrapper;
import net.bytebuddy.description.field.FieldDescription;
import net.bytebuddy.description.field.FieldList;
import net.bytebuddy.description.method.MethodDescription;
import net.bytebuddy.description.method.MethodList;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.dynamic.ClassFileLocator;
import net.bytebuddy.dynamic.TypeResolutionStrategy;
import net.bytebuddy.dynamic.scaffold.MethodGraph;
import net.bytebuddy.implementation.Implementation;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.Handle;
import net.bytebuddy.jar.asm.Label;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import net.bytebuddy.matcher.ElementMatcher;
import net.bytebuddy.matcher.ElementMatchers;
import net.bytebuddy.pool.TypePool;
import net.bytebuddy.utility.AsmClassReader;
import net.bytebuddy.utility.AsmClassWriter;

/**
 * Puts calls of the hook into a class. Methods, fields and the stack maps of existing code stay as
 * they are, so that a loaded class can be changed, and changed back. No class but the one to be
 * changed is read: what it mentions is known by name alone.
 *
 * <p>What the hook needs from a library's objects is read by a small class of its own in the
 * library's package ({@link Glue}), to which the call sites are linked at their first use.
 */
final class Rewriter implements AsmVisitorWrapper.ForDeclaredMethods.MethodVisitorWrapper {
  private static final int API = Opcodes.ASM9;
  private static final String LINK_SIGNATURE =
      "(Ljava/lang/invoke/MethodHandles$Lookup;Ljava/lang/String;Ljava/lang/invoke/MethodType;"
          + "Ljava/lang/String;)Ljava/lang/invoke/CallSite;";
  private static final int CLASS_VERSION = 6; // where a class file says its version
  private static final String SPAN_CONTEXT = "io.opentelemetry.api.trace.SpanContext";

  private final Target target;
  private final String prefix;
  private final Handle link;
  private final String hook;
  private final boolean linksCallSites;
  private int changes;

  private Rewriter(Target target, String prefix, String hook, boolean linksCallSites) {
    this.target = target;
    this.prefix = prefix;
    this.hook = hook;
    this.linksCallSites = linksCallSites;
    this.link = new Handle(Opcodes.H_INVOKESTATIC, hook, "link", LINK_SIGNATURE, false);
  }

  /** A class changed, and in how many places. */
  record Result(byte[] classFile, int changes) {}

  /**
   * Changes a class.
   *
   * @param name internal name of the class
   * @param hook internal name of the hook
   */
  static Result rewrite(byte[] classFile, String name, Target target, String prefix, String hook) {
    String typeName = name.replace('/', '.');
    ClassFileLocator locator = ClassFileLocator.Simple.of(typeName, classFile);
    TypeDescription type =
        new TypePool.Default.WithLazyResolution(
                TypePool.CacheProvider.Simple.withObjectType(),
                locator,
                TypePool.Default.ReaderMode.FAST,
                AsmClassReader.Factory.Default.ASM_ONLY)
            .describe(typeName)
            .resolve();
    int version = (classFile[CLASS_VERSION] & 0xff) << 8 | classFile[CLASS_VERSION + 1] & 0xff;
    Rewriter rewriter =
        new Rewriter(
            target,
            target == Target.OTEL_SPAN ? apiPrefix(type, prefix) : prefix,
            hook,
            version >= Opcodes.V1_6);
    byte[] changed =
        new ByteBuddy()
            .with(AsmClassReader.Factory.Default.ASM_ONLY)
            .with(AsmClassWriter.Factory.Default.ASM_ONLY)
            .with(MethodGraph.Compiler.ForDeclaredMethods.INSTANCE) // others would be looked up
            .decorate(type, locator)
            .visit(new Java7())
            .visit(
                new AsmVisitorWrapper.ForDeclaredMethods()
                    .writerFlags(ClassWriter.COMPUTE_MAXS)
                    .invokable(methods(target), rewriter))
            .make(TypeResolutionStrategy.Disabled.INSTANCE, TypePool.Empty.INSTANCE)
            .getBytes();
    return new Result(changed, rewriter.changes);
  }

  /** The OpenTelemetry agent relocates the API, not the SDK: the span says which API it is of. */
  private static String apiPrefix(TypeDescription type, String otherwise) {
    for (MethodDescription method : type.getDeclaredMethods()) {
      String returned = method.getReturnType().asErasure().getName();
      if (method.getInternalName().equals("getSpanContext") && returned.endsWith(SPAN_CONTEXT)) {
        return returned.substring(0, returned.length() - SPAN_CONTEXT.length()).replace('.', '/');
      }
    }
    return otherwise;
  }

  /** The methods in which there is something to change. */
  private static ElementMatcher<MethodDescription> methods(Target target) {
    return switch (target) {
      case OTEL_CONTEXT, BRAVE_CONTEXT -> ElementMatchers.any();
      case OTEL_SPAN -> method -> isStart(method) || isRename(method);
      case SERVLET -> Rewriter::isServe;
      case HTTP_SERVER -> ElementMatchers.named("doFilter");
      case LABELS -> method -> isPush(method) || isPop(method);
    };
  }

  private static boolean isStart(MethodDescription method) {
    return method.getInternalName().equals("startSpan") && method.isStatic();
  }

  private static boolean isRename(MethodDescription method) {
    return method.getInternalName().equals("updateName") && !method.isBridge();
  }

  private static boolean isServe(MethodDescription method) {
    return method.getInternalName().equals("service")
        && method.getDescriptor().contains("/ServletRequest;");
  }

  private static boolean isPush(MethodDescription method) {
    return method.getInternalName().equals("push")
        && method.getDescriptor().equals("(Ljava/lang/String;Ljava/lang/String;)I");
  }

  private static boolean isPop(MethodDescription method) {
    return method.getInternalName().equals("pop") && method.getDescriptor().equals("(I)V");
  }

  @Override
  public MethodVisitor wrap(
      TypeDescription type,
      MethodDescription method,
      MethodVisitor to,
      Implementation.Context context,
      TypePool pool,
      int writerFlags,
      int readerFlags) {
    if (method.isAbstract() || method.isNative()) {
      return to;
    }
    return switch (target) {
      case OTEL_CONTEXT -> linksCallSites ? new Setting(to, Glue.OTEL_SET) : to;
      case BRAVE_CONTEXT -> linksCallSites ? new Setting(to, Glue.BRAVE_SET) : to;
      case OTEL_SPAN -> linksCallSites ? new Naming(to) : to;
      case SERVLET -> new Request(to, Glue.SERVLET_REQUEST);
      case HTTP_SERVER -> new Request(to, Glue.HTTP_EXCHANGE);
      case LABELS -> labels(to, method);
    };
  }

  private void callSite(MethodVisitor at, String name, String descriptor) {
    changes++;
    at.visitInvokeDynamicInsn(name, descriptor, link, prefix);
  }

  /**
   * Call sites that are linked exist from Java 7 on. Java 6 has stack maps as Java 7 demands them,
   * so such a class can be one of Java 7.
   */
  private static final class Java7 extends AsmVisitorWrapper.AbstractBase {
    @Override
    public ClassVisitor wrap(
        TypeDescription type,
        ClassVisitor to,
        Implementation.Context context,
        TypePool pool,
        FieldList<FieldDescription.InDefinedShape> fields,
        MethodList<?> methods,
        int writerFlags,
        int readerFlags) {
      return new ClassVisitor(API, to) {
        @Override
        public void visit(
            int version,
            int access,
            String name,
            String signature,
            String superName,
            String[] interfaces) {
          int raised = (version & 0xffff) == Opcodes.V1_6 ? Opcodes.V1_7 : version;
          super.visit(raised, access, name, signature, superName, interfaces);
        }
      };
    }
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

  /** Tells the hook of the span that the method returns. */
  private final class Naming extends MethodVisitor {
    Naming(MethodVisitor to) {
      super(API, to);
    }

    @Override
    public void visitInsn(int opcode) {
      if (opcode == Opcodes.ARETURN) {
        super.visitInsn(Opcodes.DUP);
        callSite(this, Glue.OTEL_NAMED, "(Ljava/lang/Object;)V");
      }
      super.visitInsn(opcode);
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
      if (linksCallSites) {
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
  private MethodVisitor labels(MethodVisitor to, MethodDescription method) {
    boolean push = isPush(method);
    changes++;
    to.visitCode();
    if (push) {
      to.visitVarInsn(Opcodes.ALOAD, 0);
      to.visitVarInsn(Opcodes.ALOAD, 1);
    } else {
      to.visitVarInsn(Opcodes.ILOAD, 0);
    }
    to.visitMethodInsn(
        Opcodes.INVOKESTATIC, hook, method.getInternalName(), method.getDescriptor(), false);
    to.visitInsn(push ? Opcodes.IRETURN : Opcodes.RETURN);
    to.visitMaxs(0, 0);
    to.visitEnd();
    return new MethodVisitor(API) {}; // the old body goes nowhere
  }
}
