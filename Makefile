# SPDX-License-Identifier: MIT
# talosvip. `make help` lists the targets.

PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
DESTDIR ?=
CC ?= cc
VARIANT ?= release
SCHEDULES ?= 100000
SEED ?=
FUZZ_SECONDS ?= 60
REPEATS ?= 20
V ?= 0
Q := $(if $(filter 1,$(V)),,@)

# The last release when there is no git to ask.
VERSION := $(shell git describe --tags --always --dirty --match 'v*' 2>/dev/null | sed -n 's/^v//p')
VERSION := $(if $(VERSION),$(VERSION),0.1.0)

# Debian's packages: to build, to test. docs/design.md says what each is for.
BUILD_PACKAGES := gcc make pkg-config libc6-dev libcurl4-openssl-dev libjson-c-dev libyaml-dev \
  libnl-3-dev libnl-route-3-dev libevent-dev libcap-ng-dev
TEST_PACKAGES := libcmocka-dev bats iproute2 nftables procps openssl curl jq libcap2-bin \
  util-linux clang-format-14 cppcheck shellcheck valgrind clang-14 llvm-14 libclang-rt-14-dev tmux
# Unpacked under build/, never installed: these would start a service.
TOOL_PACKAGES := etcd-server etcd-client

LIBS := libcurl json-c yaml-0.1 libnl-3.0 libnl-route-3.0 libevent_core libevent_extra libcap-ng
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
  -Wformat=2 -Wvla $(if $(CI)$(WERROR),-Werror)
HARDENING := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
LINK_HARDENING := -pie -Wl,-z,relro,-z,now,--as-needed
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

ifeq ($(VARIANT),asan)
CFLAGS := -O1 -g
HARDENING := $(SANITIZE) -fPIE
LINK_HARDENING := $(SANITIZE) -pie
endif
ifeq ($(VARIANT),fuzz)
CC := clang-14
CFLAGS := -O1 -g
HARDENING := $(SANITIZE),fuzzer-no-link
LINK_HARDENING := $(SANITIZE)
endif

B := build/$(VARIANT)
ALL_CPPFLAGS = -D_GNU_SOURCE -Iinclude -DTALOSVIP_VERSION='"$(VERSION)"' $(LIB_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS = -std=c11 $(CFLAGS) $(WARNINGS) $(HARDENING)
# Asked only when something is compiled, so that `make help` works on a bare machine.
LIB_CFLAGS = $(eval LIB_CFLAGS := $(shell pkg-config --cflags $(LIBS)))$(LIB_CFLAGS)
LIB_LIBS = $(eval LIB_LIBS := $(shell pkg-config --libs $(LIBS)))$(LIB_LIBS)

SOURCES := $(filter-out src/main.c,$(wildcard src/*/*.c))
OBJECTS := $(SOURCES:%.c=$(B)/%.o)
CORE_OBJECTS := $(filter $(B)/src/core/%,$(OBJECTS))
UNIT_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_*.c))
UNIT_SUPPORT := $(patsubst %.c,$(B)/%.o,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
SIM_OBJECTS := $(patsubst %.c,$(B)/%.o,$(wildcard tests/sim/*.c))
LAB_TOOLS := $(patsubst %.c,$(B)/%,$(wildcard tests/lab/*.c))
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
C_FILES := $(wildcard src/*.c src/*/*.[ch] include/*/*.h tests/*/*.[ch])
SHELL_FILES := $(wildcard tests/*/*.sh tests/*/*.bash .ci/run)

all: build/talosvip ## build the program: build/talosvip

build/talosvip: $(B)/talosvip
	@ln -sfn $(VARIANT)/talosvip $@

$(B)/talosvip: $(B)/src/main.o $(B)/libtalosvip.a
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(LINK_HARDENING) $(LDFLAGS) -o $@ $^ $(LIB_LIBS)

$(B)/libtalosvip.a: $(OBJECTS)
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/tests/unit/test_%: $(B)/tests/unit/test_%.o $(UNIT_SUPPORT) $(B)/libtalosvip.a
	$(Q)$(CC) $(ALL_CFLAGS) $(LINK_HARDENING) -o $@ $^ $(LIB_LIBS) -lcmocka

$(B)/sim: $(SIM_OBJECTS) $(CORE_OBJECTS) $(B)/src/base/ip.o
	$(Q)$(CC) $(ALL_CFLAGS) $(LINK_HARDENING) -o $@ $^

$(B)/tests/lab/%: $(B)/tests/lab/%.o $(B)/libtalosvip.a
	$(Q)$(CC) $(ALL_CFLAGS) $(LINK_HARDENING) -o $@ $^ $(LIB_LIBS)

# One fuzz target, two mains: libFuzzer's, and one that runs a corpus once.
$(B)/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/libtalosvip.a
	$(Q)$(CC) $(ALL_CFLAGS) $(SANITIZE),fuzzer -o $@ $^ $(LIB_LIBS)

$(B)/corpus_%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/corpus_main.o $(B)/libtalosvip.a
	$(Q)$(CC) $(ALL_CFLAGS) $(LINK_HARDENING) -o $@ $^ $(LIB_LIBS)

.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)

deps: ## install what building needs (Debian, apt)
	@tests/lab/packages.sh install $(BUILD_PACKAGES)

test-deps: deps ## install what testing needs
	@tests/lab/packages.sh install $(TEST_PACKAGES)
	@tests/lab/packages.sh unpack build/tools $(TOOL_PACKAGES)

clean: ## remove build/
	rm -rf build

help: ## print this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: all deps test-deps clean help
