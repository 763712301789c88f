# SPDX-License-Identifier: MIT
# talosvip. `make help` lists the targets.

PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share
BASHDIR ?= $(DATADIR)/bash-completion/completions
ZSHDIR ?= $(DATADIR)/zsh/site-functions
FISHDIR ?= $(DATADIR)/fish/vendor_completions.d
DESTDIR ?=
CC ?= cc
VARIANT ?= release
SCHEDULES ?= 100000
SEED ?=
FUZZ_SECONDS ?= 60
REPEATS ?= 20
FAULTS ?= 100
N ?= 200
V ?= 0
Q := $(if $(filter 1,$(V)),,@)

# Before the first tag, and when there is no git to ask, the version under way.
VERSION := $(shell git describe --tags --dirty --match 'v*' 2>/dev/null | sed -n 's/^v//p')
VERSION := $(if $(VERSION),$(VERSION),0.1.0)

# Debian's packages: to build, to test. docs/design.md says what each is for.
BUILD_PACKAGES := gcc make pkg-config libc6-dev libcurl4-openssl-dev libjson-c-dev libyaml-dev \
  libnl-3-dev libnl-route-3-dev libevent-dev libcap-ng-dev libncurses-dev libseccomp-dev libssl-dev libreadline-dev
TEST_PACKAGES := libcmocka-dev bats openssl curl libcap2-bin clang-format-14 cppcheck shellcheck \
  valgrind clang-14 libclang-rt-14-dev binutils perl python3-jsonschema mandoc spin \
  tmux zsh fish bash-completion
DEB_PACKAGES := dpkg-dev lintian systemd
DEMO_PACKAGES := iproute2 nftables procps util-linux jq tmux ncurses-bin
# Unpacked under build/, never installed: these would start a service.
TOOL_PACKAGES := etcd-server etcd-client
# For bench-keepalived alone: keepalived with what it links, unpacked and never installed.
KEEPALIVED_PACKAGES := keepalived libnl-genl-3-200 libsnmp40 libpci3 libsensors5 libwrap0 libperl5.36
TEST_TOOL_PACKAGES := prometheus
# For package-real alone: it makes a Debian and boots it, as a container and in an emulated machine.
REAL_PACKAGES := mmdebstrap e2fsprogs qemu-system-x86
REAL_TOOL_PACKAGES := systemd-container libsystemd-shared

LIBS := libcurl json-c yaml-0.1 libnl-3.0 libnl-route-3.0 libevent_core libevent_extra libcap-ng libseccomp \
  libcrypto readline ncursesw
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
  -Wformat=2 -Wvla $(if $(CI)$(WERROR),-Werror)
HARDENING := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
LINK_HARDENING := -pie -Wl,-z,relro,-z,now,--as-needed
SANITIZE := -fno-omit-frame-pointer -fno-sanitize-recover=undefined -fsanitize=address,undefined

ifeq ($(VARIANT),asan)
CFLAGS := -O1 -g1
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
# The same sources give the same bytes wherever they are built.
ALL_CFLAGS = -std=c11 $(CFLAGS) $(WARNINGS) $(HARDENING) -ffile-prefix-map=$(CURDIR)=.
# Asked only when something is compiled, so that `make help` works on a bare machine.
LIB_CFLAGS = $(eval LIB_CFLAGS := $(shell pkg-config --cflags $(LIBS)))$(LIB_CFLAGS)
LIB_LIBS = $(eval LIB_LIBS := $(shell pkg-config --libs $(LIBS)))$(LIB_LIBS)

SOURCES := $(filter-out src/main.c,$(wildcard src/*/*.c))
OBJECTS := $(SOURCES:%.c=$(B)/%.o)
CORE_OBJECTS := $(filter $(B)/src/core/%,$(OBJECTS))
UNIT_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_*.c))
UNIT_SUPPORT := $(patsubst %.c,$(B)/%.o,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
SIM_OBJECTS := $(patsubst %.c,$(B)/%.o,$(wildcard tests/sim/*.c))
LAB_TOOLS := $(B)/tests/lab/observer
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
MAN_PAGES := $(notdir $(wildcard docs/man/*.[1-8]))
C_FILES := $(wildcard src/*.c src/*/*.[ch] include/*/*.h tests/*/*.[ch])
SHELL_FILES := $(wildcard docs/man/*.sh docs/packaging/*.sh docs/packaging/debian/* tests/*/*.sh tests/*/guest/*.sh tests/*/*.bash .ci/run)

all: $(B)/talosvip ## build the program: build/talosvip
	@ln -sfn $(VARIANT)/talosvip build/talosvip

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

# With functions of their own in the place of the library's, which the support would call for.
$(B)/tests/unit/test_agent_peer%: $(B)/tests/unit/test_agent_peer%.o $(B)/libtalosvip.a
	$(Q)$(CC) $(ALL_CFLAGS) $(LINK_HARDENING) -o $@ $^ $(LIB_LIBS) -lcmocka

# The same, with a client of etcd that is the test's.
$(B)/tests/unit/test_agent_store: $(B)/tests/unit/test_agent_store.o $(B)/libtalosvip.a
	$(Q)$(CC) $(ALL_CFLAGS) $(LINK_HARDENING) -o $@ $^ $(LIB_LIBS) -lcmocka

$(B)/tests/unit/test_agent_twins: $(B)/tests/unit/test_agent_twins.o $(B)/libtalosvip.a
	$(Q)$(CC) $(ALL_CFLAGS) $(LINK_HARDENING) -o $@ $^ $(LIB_LIBS) -lcmocka

# The same, where the library's are called for as well.
$(B)/tests/unit/test_agent_links $(B)/tests/unit/test_agent_peerview: %: %.o $(B)/libtalosvip.a
	$(Q)$(CC) $(ALL_CFLAGS) $(LINK_HARDENING) -Wl,-z,muldefs -o $@ $^ $(LIB_LIBS) -lcmocka

$(B)/sim: $(SIM_OBJECTS) $(CORE_OBJECTS) $(B)/src/base/ip.o
	$(Q)$(CC) $(ALL_CFLAGS) $(LINK_HARDENING) -o $@ $^

$(B)/tests/lab/observer: $(patsubst %.c,$(B)/%.o,$(wildcard tests/lab/*.c)) $(B)/libtalosvip.a
	$(Q)$(CC) $(ALL_CFLAGS) $(LINK_HARDENING) -o $@ $^ $(LIB_LIBS)

# One fuzz target, two mains: libFuzzer's, and one that runs a corpus once.
$(B)/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/libtalosvip.a
	$(Q)$(CC) $(ALL_CFLAGS) $(SANITIZE),fuzzer -o $@ $^ $(LIB_LIBS)

$(B)/corpus_%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/corpus_main.o $(B)/libtalosvip.a
	$(Q)$(CC) $(ALL_CFLAGS) $(LINK_HARDENING) -o $@ $^ $(LIB_LIBS)

# The scripts are part of the program, for `talosvip completion`.
$(B)/src/cli/cmd_completion.o: $(wildcard completions/*)

# The manual as text, for `talosvip help`; `talosvip explain` has what stands in talosvip-checks(7).
HELP_PAGES := $(filter-out %/talosvip-checks.7,$(wildcard docs/man/*.[1-8]))
build/manual.txt: docs/man/plain.awk $(HELP_PAGES)
	@mkdir -p build
	$(Q)LC_ALL=C awk -f docs/man/plain.awk $(HELP_PAGES) >$@.$$$$ && mv $@.$$$$ $@

$(B)/src/cli/manual.o: build/manual.txt

.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)

test: test-deps ## install what is missing, build, and run every test
	@$(MAKE) --no-print-directory -j$$(nproc) build-tests
	@$(MAKE) --no-print-directory check

build-tests: $(B)/talosvip $(UNIT_TESTS) $(B)/sim $(LAB_TOOLS) $(FUZZERS:%=$(B)/corpus_%)

# What looks at the clock mostly waits, so what only computes runs beside it, yielding to it.
check: all unit-test
	@$(MAKE) --no-print-directory -j3 --output-sync=target check-model check-computing check-waiting
	@$(MAKE) --no-print-directory e2e-asan
	@echo "all tests passed"

check-model:
	@nice -n 19 $(MAKE) --no-print-directory -j1 model package-test

check-computing:
	@nice -n 19 $(MAKE) --no-print-directory -j1 SCHEDULES=20000 lint corpus-test mutants sim
	@nice -n 19 $(MAKE) --no-print-directory -j$$(nproc) VARIANT=asan build-tests
	@nice -n 19 $(MAKE) --no-print-directory -j1 asan-test valgrind-test

check-waiting:
	@$(MAKE) --no-print-directory -j1 validate-test cli-test ui-test docs-test e2e

unit-test: $(UNIT_TESTS) ## unit tests (cmocka)
	@tests/unit/run.sh $(UNIT_TESTS)

sim: $(B)/sim ## simulate SCHEDULES random schedules (default 100000), SEED= the first
	@$(B)/sim --stories
	@$(B)/sim --schedules $(SCHEDULES) $(if $(SEED),--seed $(SEED))

mutants: $(B)/sim ## plant bugs in the core: each must be caught
	@tests/sim/mutants.sh "$(CC)" $(B)

model: ## look at every state of the model of the peer lease (spin; 1.5 GB, a minute)
	@mkdir -p $(B)
	@tests/model/run.sh "$(CC)" $(B)

lint: all ## format, layers, purity of the core, cppcheck, shellcheck
	@clang-format-14 --dry-run --Werror $(C_FILES)
	@tests/lint/layers.sh && tests/lint/layers.sh --self-test
	@tests/lint/purity.sh $(B) && tests/lint/purity.sh --self-test $(B)
	@tests/lint/events.sh
	@tests/lint/man.sh $(B)/talosvip
	@tests/lint/docs.sh $(B)/talosvip
	@tests/lint/tell.sh
	@cppcheck --quiet --error-exitcode=1 --inline-suppr --enable=warning,portability \
	  --suppress=missingIncludeSystem -Iinclude -D_GNU_SOURCE src tests/sim
	@shellcheck -x $(SHELL_FILES)

asan-test: ## unit tests, corpora and a part of the simulation under ASan and UBSan
	@$(MAKE) --no-print-directory VARIANT=asan SCHEDULES=1000 unit-test corpus-test sim

valgrind-test: $(B)/talosvip $(UNIT_TESTS) ## unit tests of the pure parts under valgrind
	@tests/unit/valgrind.sh $(B)/tests/unit

corpus-test: $(FUZZERS:%=$(B)/corpus_%) ## the fuzzers' corpora, once
	@set -e; for f in $(FUZZERS); do $(B)/corpus_$$f tests/fuzz/corpus/$$f; done

fuzz: ## fuzz each parser for FUZZ_SECONDS (default 60)
	@$(MAKE) --no-print-directory VARIANT=fuzz fuzz-run

fuzz-run: $(FUZZERS:%=$(B)/fuzz_%)
	@set -e; for f in $(FUZZERS); do echo "fuzz $$f"; mkdir -p $(B)/corpus/$$f; \
	  $(B)/fuzz_$$f -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -verbosity=0 \
	  -artifact_prefix=$(B)/ $(B)/corpus/$$f tests/fuzz/corpus/$$f; done

validate-test: all ## validate over its corpus, in every format, against golden files
	@tests/validate/run.sh build/talosvip
	@tests/validate/measure.sh build/talosvip

ui-test: all $(B)/tests/unit/test_ui_model $(B)/tests/unit/test_ui_view ## the dashboard: golden screens, every key and size, a real terminal (tmux)
	@tests/unit/run.sh $(B)/tests/unit/test_ui_model $(B)/tests/unit/test_ui_view
	@tests/cli/run.sh tests/ui/*.bats

cli-test: all ## command line: usage, exit codes, bad input (bats)
	@tests/cli/run.sh tests/cli/*.bats

docs-test: all ## every command of README, docs and manual, run in a lab
	@tests/docs/run.sh

e2e: all $(LAB_TOOLS) ## the lab: three nodes, a real etcd, every fault once
	@$(MAKE) --no-print-directory -j2 --output-sync=target e2e-scenarios e2e-records

# Two labs side by side: most of their time they wait.
e2e-scenarios:
	@tests/e2e/run.sh -q

e2e-records:
	@echo "as the unit's user:"
	@TVLAB_AGENT=$(CURDIR)/tests/lab/as_user.sh tests/e2e/run.sh -q sigterm kill-both-back freeze
	@echo "with the static pod's rights:"
	@TVLAB_AGENT=$(CURDIR)/tests/lab/as_pod.sh tests/e2e/run.sh -q sigterm kill-both-back
	@tests/e2e/observe.sh
	@tests/e2e/history.sh
	@tests/e2e/demo.sh

e2e-asan: all $(LAB_TOOLS) ## the lab: an agent with ASan and UBSan, reloaded at random for half a minute
	@$(MAKE) --no-print-directory VARIANT=asan build/asan/talosvip
	@tests/e2e/reload.sh $(if $(SEED),-s $(SEED))

history-test: all $(LAB_TOOLS) ## the lab: FAULTS (default 100) random faults, each with one record
	@tests/e2e/history.sh -n $(FAULTS)

e2e-random: all $(LAB_TOOLS) ## random faults in the lab, N (default 200) sequences from SEED on
	@tests/e2e/random.sh -n $(N) -s $(or $(SEED),1)

bench-keepalived: test-deps ## the same faults for keepalived and for talosvip, REPEATS of each
	@tests/lab/packages.sh unpack build/tools $(KEEPALIVED_PACKAGES)
	@$(MAKE) --no-print-directory -j$$(nproc) all $(LAB_TOOLS)
	@tests/e2e/keepalived.sh -n $(REPEATS)

bench: test-deps ## measure outages and cost, REPEATS (default 20) of each fault
	@$(MAKE) --no-print-directory -j$$(nproc) all $(LAB_TOOLS)
	@tests/e2e/bench.sh -n $(REPEATS)

demo: demo-deps ## install, build, bring up three nodes with a real etcd, and show them
	@$(MAKE) --no-print-directory -j$$(nproc) all $(LAB_TOOLS)
	@tests/lab/demo.sh

demo-deps: deps
	@tests/lab/packages.sh install $(DEMO_PACKAGES)
	@tests/lab/packages.sh unpack build/tools $(TOOL_PACKAGES)

install: all ## install under DESTDIR and PREFIX (default /usr/local)
	install -D -m 755 build/talosvip $(DESTDIR)$(SBINDIR)/talosvip
	ln -sf talosvip $(DESTDIR)$(SBINDIR)/vip
	for page in $(MAN_PAGES); do \
	  install -D -m 644 docs/man/$$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$$page; done
	ln -sf talosvip.1 $(DESTDIR)$(MANDIR)/man1/vip.1
	install -D -m 644 completions/talosvip.bash $(DESTDIR)$(BASHDIR)/talosvip
	ln -sf talosvip $(DESTDIR)$(BASHDIR)/vip
	install -D -m 644 completions/_talosvip $(DESTDIR)$(ZSHDIR)/_talosvip
	install -D -m 644 completions/talosvip.fish $(DESTDIR)$(FISHDIR)/talosvip.fish
	ln -sf talosvip.fish $(DESTDIR)$(FISHDIR)/vip.fish

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(SBINDIR)/talosvip $(DESTDIR)$(SBINDIR)/vip \
	  $(DESTDIR)$(MANDIR)/man1/vip.1 $(foreach p,$(MAN_PAGES),$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $p))/$p) \
	  $(DESTDIR)$(BASHDIR)/talosvip \
	  $(DESTDIR)$(BASHDIR)/vip $(DESTDIR)$(ZSHDIR)/_talosvip \
	  $(DESTDIR)$(FISHDIR)/talosvip.fish $(DESTDIR)$(FISHDIR)/vip.fish

deps:
	@tests/lab/packages.sh install $(BUILD_PACKAGES)

test-deps: deps
	@tests/lab/packages.sh install $(TEST_PACKAGES) $(DEB_PACKAGES) $(DEMO_PACKAGES)
	@tests/lab/packages.sh unpack build/tools $(TOOL_PACKAGES) $(TEST_TOOL_PACKAGES)

package-test: all ## the Debian package and the unit, on a copy-on-write view of this machine
	@tests/packaging/run.sh $(VERSION) $(B)/talosvip

package-real: test-deps ## the unit under a real systemd, on two kernels; the container built and run
	@tests/lab/packages.sh install $(REAL_PACKAGES)
	@tests/lab/packages.sh unpack build/tools $(REAL_TOOL_PACKAGES)
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@tests/packaging/real.sh unit $(VERSION)
	@tests/packaging/real.sh container $(VERSION)
	@tests/packaging/real.sh machine $(VERSION)

deb: deps ## build a Debian package in build/
	@tests/lab/packages.sh install $(DEB_PACKAGES)
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@docs/packaging/deb.sh $(VERSION) $(B)/talosvip build

dist: ## pack the sources in build/
	@mkdir -p build
	@git archive --prefix=talosvip-$(VERSION)/ HEAD | gzip -9n > build/talosvip-$(VERSION).tar.gz
	@echo build/talosvip-$(VERSION).tar.gz

man: all ## write the generated manual pages anew
	@docs/man/checks.sh build/talosvip > docs/man/talosvip-checks.7
	@docs/man/pages.sh build/talosvip docs/man

format: ## format all C files
	@clang-format-14 -i $(C_FILES)

clean: ## remove build/
	rm -rf build

help: ## print this list
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: all test check ui-test unit-test build-tests sim mutants model check-model check-computing check-waiting lint asan-test valgrind-test corpus-test validate-test fuzz \
  fuzz-run cli-test e2e e2e-scenarios e2e-records e2e-asan history-test e2e-random bench bench-keepalived demo demo-deps install uninstall deps test-deps package-test package-real deb dist man format \
  clean help
