# Builds everything in bpf/ that is not Java, into $(OUT)/main and $(OUT)/test (laid out as resources):
#   io/jebpf/bpf/*.bpf.o              the kernel programs
#   io/jebpf/bpf/native/<platform>/   our helper, and copies of this system's libbpf, libelf, zlib
#   META-INF/licenses/                their licences
# Called by Maven on every build; as any makefile it only makes what is older than its sources.
# The C library floor of the result is glibc 2.33: that of Debian 12's libelf.

OUT   ?= target/natives
override OUT := $(abspath $(OUT))
CLANG ?= clang-16
STRIP ?= llvm-strip-16

machine := $(shell uname -m)
ifeq ($(machine),x86_64)
  platform := linux-x86_64
  bpf_arch := x86
else ifeq ($(machine),aarch64)
  platform := linux-aarch64
  bpf_arch := arm64
else
  $(error jebpf builds on x86_64 and aarch64, not on $(machine))
endif
triplet := $(machine)-linux-gnu

need = $(if $(shell command -v $(1)),,$(error $(1) is missing (package $(2)): run `make setup` once))
$(call need,$(CLANG),clang-16)
$(call need,$(STRIP),llvm-16)
$(call need,gcc,gcc)
libdir := $(firstword $(foreach d,/usr/lib/$(triplet) /lib/$(triplet) /usr/lib64 /usr/lib,$(if $(wildcard $(d)/libbpf.so.1),$(d))))
$(if $(libdir),,$(error libbpf.so.1 is missing (package libbpf-dev): run `make setup` once))
$(if $(wildcard /usr/include/bpf/bpf_helpers.h),,$(error bpf/bpf_helpers.h is missing (package libbpf-dev): run `make setup` once))

main    := $(OUT)/main/io/jebpf/bpf
native  := $(main)/native/$(platform)
licence := $(OUT)/main/META-INF/licenses

# Helpers dictate the parameters of their callbacks, used or not.
BPF_FLAGS := -target bpf -D__TARGET_ARCH_$(bpf_arch) -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter \
             -ffile-prefix-map=$(CURDIR)=. -I/usr/include/$(triplet) -Isrc/main/c
LIB_FLAGS := -O2 -Wall -Wextra -Werror -std=gnu11 -fPIC -fvisibility=hidden -fasynchronous-unwind-tables \
             -fno-strict-aliasing -ffile-prefix-map=$(CURDIR)=.
LD_FLAGS  := -shared -Wl,-soname,jebpfhelp.so -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--no-undefined -s

test_objects := $(patsubst src/test/c/%.bpf.c,$(OUT)/test/io/jebpf/bpf/%.bpf.o,$(wildcard src/test/c/*.bpf.c))
main_objects := $(patsubst src/main/c/%.bpf.c,$(main)/%.bpf.o,$(wildcard src/main/c/*.bpf.c))

.PHONY: all
.DELETE_ON_ERROR:
all: $(main_objects) $(test_objects) \
     $(native)/jebpfhelp.so $(native)/jebpfotel.so $(native)/jebpfbpf.so $(native)/jebpfelf.so $(native)/jebpfz.so \
     $(licence)/libbpf.txt $(licence)/libelf.txt $(licence)/zlib.txt

# Kernel objects keep their BTF and lose their DWARF. The .d files make headers count as sources.
define compile_bpf
@mkdir -p $(@D) $(OUT)/deps
@echo "natives: $(CLANG) $<"
@$(CLANG) $(BPF_FLAGS) -MMD -MP -MT $@ -MF $(OUT)/deps/$(notdir $@).d -c $< -o $@
@$(STRIP) -g $@
endef

$(main)/%.bpf.o: src/main/c/%.bpf.c natives.mk
	$(compile_bpf)

$(OUT)/test/io/jebpf/bpf/%.bpf.o: src/test/c/%.bpf.c natives.mk
	$(compile_bpf)

helper := src/main/c/jebpf_native.c src/main/c/jebpf_parks.c src/main/c/jebpf_places.c src/main/c/jebpf_ticker.c

$(native)/jebpfhelp.so: $(helper) src/main/c/jebpf_native.h src/main/c/jebpf_types.h natives.mk
	@mkdir -p $(@D)
	@echo "natives: gcc $(helper)"
	@gcc $(LIB_FLAGS) $(helper) -o $@ $(LD_FLAGS)

# Thread-local data is found by descriptors, as readers of other processes expect; AArch64 has no other way.
$(native)/jebpfotel.so: src/main/c/jebpf_otel.c natives.mk
	@mkdir -p $(@D)
	@echo "natives: gcc $<"
	@gcc $(LIB_FLAGS) $(if $(filter x86_64,$(machine)),-mtls-dialect=gnu2) $< -o $@ \
	  $(subst jebpfhelp.so,jebpfotel.so,$(LD_FLAGS))

# The copies get names of their own, in place and of the same length. With the usual names the dynamic
# linker would mix them with libraries of the application: a zlib that the application loaded first would
# serve our libelf, and ours would serve a JNI library loaded later.
define private_copy
@mkdir -p $(@D)
@echo "natives: copy $< as $(@F)"
@LC_ALL=C sed -e 's/libz\.so\.1\x00/jebpfz.so\x00/g' \
              -e 's/libelf\.so\.1\x00/jebpfelf.so\x00/g' \
              -e 's/libbpf\.so\.1\x00/jebpfbpf.so\x00/g' $< > $@
@readelf -dW $@ | grep -q 'soname: \[$(@F)\]' || \
  { echo "natives: $< could not be renamed to $(@F)"; exit 1; }
@! readelf -dW $@ | grep -E 'NEEDED.*\[lib(z|elf|bpf)\.so' || \
  { echo "natives: $(@F) still needs a library of the system"; exit 1; }
endef

$(native)/jebpfz.so: $(libdir)/libz.so.1 natives.mk
	$(private_copy)
$(native)/jebpfelf.so: $(libdir)/libelf.so.1 natives.mk
	$(private_copy)
$(native)/jebpfbpf.so: $(libdir)/libbpf.so.1 natives.mk
	$(private_copy)

define copy_licence
@mkdir -p $(@D)
@{ echo "The jar holds a copy of this library, changed in one point: its file name (SONAME and NEEDED)."; \
   echo; cat $<; } > $@
endef

$(licence)/libbpf.txt: /usr/share/doc/libbpf1/copyright natives.mk
	$(copy_licence)
$(licence)/libelf.txt: /usr/share/doc/libelf1/copyright natives.mk
	$(copy_licence)
$(licence)/zlib.txt: /usr/share/doc/zlib1g/copyright natives.mk
	$(copy_licence)

-include $(wildcard $(OUT)/deps/*.d)
