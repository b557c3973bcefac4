# SPDX-License-Identifier: Apache-2.0
# Copyright the mod_sso authors
# mod_sso: `make demo` shows it, `make test` proves it, `make help` lists the rest.

SHELL := /bin/bash
.DELETE_ON_ERROR:

ifeq ($(origin CC),default)
CC := gcc
endif
APXS ?= $(firstword $(shell command -v apxs apxs2) apxs)
# SAN=asan builds with AddressSanitizer and UBSan, SAN=tsan with ThreadSanitizer, each into a folder of its own.
SAN   ?=
BUILD := build$(if $(SAN),/$(SAN))

SAN_FLAGS_asan := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
SAN_FLAGS_tsan := -fsanitize=thread -fno-omit-frame-pointer
SAN_FLAGS      := $(SAN_FLAGS_$(SAN))

# `make V=1` shows the commands.
Q      := $(if $(V),,@)
say     = $(if $(V),,@printf '  %-4s %s\n' $(1) $(2))

WARN   := -Wall -Wextra -Wswitch-enum -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wconversion -Wformat=2 \
          -Wundef -Wvla -Wcast-qual -Wwrite-strings -Werror
BRANCH := $(if $(filter x86_64 i%86,$(shell uname -m)),-fcf-protection,$(if $(filter aarch64,$(shell uname -m)),-mbranch-protection=standard))
HARDEN := -fPIC -fvisibility=hidden -fstack-protector-strong -fstack-clash-protection $(BRANCH) \
          $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
# httpd's and APR's own definitions, so that the layout of their structures is the one that httpd was built with.
APR    := $(sort $(shell ($(APXS) -q CFLAGS; $(APXS) -q EXTRA_CPPFLAGS) 2>/dev/null | tr ' ' '\n' | grep -E '^-D|^-pthread')) \
          $(addprefix -isystem ,$(shell $(APXS) -q INCLUDEDIR 2>/dev/null) $(shell $(APXS) -q APR_INCLUDEDIR 2>/dev/null))
CFLAGS_ALL  := -std=c11 -D_GNU_SOURCE -g -O2 $(WARN) $(HARDEN) $(SAN_FLAGS) $(APR) -Imod_src
LDFLAGS_ALL := -Wl,-z,relro,-z,now,-z,noexecstack $(SAN_FLAGS)
# httpd defines what the module leaves undefined, so `-z defs` is for programs only.
LDFLAGS_DSO := $(LDFLAGS_ALL) -shared -Wl,--version-script=mod_src/httpd/mod_sso.map -Wl,--exclude-libs,ALL -Wl,-Bsymbolic
LDFLAGS_BIN := $(LDFLAGS_ALL) -Wl,-z,defs
LIBS        := -lapr-1 -laprutil-1 -lssl -lcrypto -lcurl -lmemcached -llmdb -ljansson -lpthread

ROOMS   := base jose oidc session flow backend
LIB_SRC := $(wildcard $(ROOMS:%=mod_src/%/*.c))
LIB_OBJ := $(LIB_SRC:mod_src/%.c=$(BUILD)/obj/%.o)
MOD_SRC := $(wildcard mod_src/httpd/*.c)
MOD_OBJ := $(MOD_SRC:mod_src/%.c=$(BUILD)/obj/%.o)

# tests/<dir>/test_x.c becomes $(BUILD)/unit/test_x; every other .c there is a helper that all of them may use.
TEST_DIRS   := unit flow backend
CFLAGS_TEST := $(filter-out -Wmissing-prototypes,$(CFLAGS_ALL)) $(TEST_DIRS:%=-Itests/%)
TEST_SRC    := $(wildcard $(TEST_DIRS:%=tests/%/*.c))
UNIT_SRC    := $(foreach file,$(TEST_SRC),$(if $(filter test_%,$(notdir $(file))),$(file)))
UNIT        := $(patsubst %.c,$(BUILD)/unit/%,$(notdir $(UNIT_SRC)))
SUPPORT_OBJ := $(patsubst tests/%.c,$(BUILD)/support/%.o,$(filter-out $(UNIT_SRC),$(TEST_SRC)))
FUZZ        := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: all
all: $(BUILD)/libsso.a $(if $(MOD_SRC),$(BUILD)/mod_sso.so) ## build the module, build/mod_sso.so, and the library in it (SAN=asan, CC=clang)

# A change of compiler, flags or set of files makes anew what depends on it.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D); line='$(CC) $(CFLAGS_ALL) $(CFLAGS) $(SHOWN)'; [ "$$line" = "$$(cat $@ 2>/dev/null)" ] || echo "$$line" >$@
$(BUILD)/members: FORCE
	@mkdir -p $(@D); line='$(LIB_OBJ) $(MOD_OBJ)'; [ "$$line" = "$$(cat $@ 2>/dev/null)" ] || echo "$$line" >$@
.PHONY: FORCE
FORCE:

$(BUILD)/obj/%.o: mod_src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_ALL) $(CFLAGS) -MMD -MP -c -o $@ $<

# httpd's AP_MODULE_DECLARE_DATA says nothing on Unix, and a version script cannot show what the compiler has hidden.
SHOWN := -fvisibility=default
$(BUILD)/obj/httpd/mod_sso.o: private CFLAGS_ALL += $(SHOWN)

$(BUILD)/libsso.a: $(LIB_OBJ) $(BUILD)/members
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcs $@ $(LIB_OBJ)

$(BUILD)/mod_sso.so: $(MOD_OBJ) $(BUILD)/libsso.a mod_src/httpd/mod_sso.map
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_DSO) $(LDFLAGS) -o $@ $(MOD_OBJ) $(BUILD)/libsso.a $(LIBS)

$(BUILD)/support/%.o: tests/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_TEST) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libsupport.a: $(SUPPORT_OBJ)
	@mkdir -p $(@D); rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcs $@ $^

define unit_rule
$(BUILD)/unit/test_%: tests/$(1)/test_%.c $(BUILD)/libsupport.a $(BUILD)/libsso.a $(BUILD)/flags
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(CC) $$(CFLAGS_TEST) $$(CFLAGS) -MMD -MP -MF $$@.d -o $$@ $$< $(BUILD)/libsupport.a $(BUILD)/libsso.a $$(LDFLAGS_BIN) -lcmocka $$(LIBS)
endef
$(foreach dir,$(TEST_DIRS),$(eval $(call unit_rule,$(dir))))

# Each fuzz target is linked with a main that replays files, so that the corpora run without libFuzzer.
$(BUILD)/fuzz/replay.o: tests/fuzz/replay.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_TEST) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(BUILD)/fuzz/replay.o $(BUILD)/libsupport.a $(BUILD)/libsso.a $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_TEST) -Itests/fuzz $(CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(BUILD)/fuzz/replay.o $(BUILD)/libsupport.a $(BUILD)/libsso.a $(LDFLAGS_BIN) $(LIBS)

# Prints the pages under docs/ that repeat tables of the code.
$(BUILD)/printdocs: tests/lint/printdocs.c $(BUILD)/libsso.a $(BUILD)/flags
	$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS_TEST) $(CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(BUILD)/libsso.a $(LDFLAGS_BIN) $(LIBS)

.PHONY: units fuzzers
units: $(UNIT)
fuzzers: $(FUZZ)

# `make unit-text` builds and runs tests/unit/test_text.c alone.
unit-%: $(BUILD)/unit/test_%
	$<

.PHONY: unit lint test demo docs
unit: ## build and run all unit tests (unit-NAME: one of them)
	@node tests/run.mjs unit

lint: ## check the laws of the house: rooms, names, sizes, docs = rows, clang-tidy ...
	@node tests/lint/run.mjs

test: ## everything: dependencies, gcc and clang builds, lint, unit tests, fuzz corpora, end to end
	@bash tests/run.sh

demo: deps-demo ## show it: httpd, a legacy application and a provider on this machine
	@$(MAKE) --no-print-directory all
	@node tests/e2e/demo.mjs

docs: $(BUILD)/printdocs ## print anew the pages that come from tables in the code
	@for page in $$($<); do mkdir -p "$$(dirname "$$page")"; $< "$$page" >"$$page" || exit 1; echo "$$page"; done

.PHONY: test-keycloak fault bench
test-keycloak: deps-keycloak all ## follow docs/keycloak.md with a real Keycloak, which Maven fetches once
	@node tests/e2e/keycloak/run.mjs

fault: deps all ## bad days under load: servers killed, stopped, slowed, cut off; prints a table of figures
	@node tests/fault/run.mjs

bench: deps-bench all ## figures beside unprotected httpd and mod_auth_openidc (WRITE=1 writes docs/performance.md)
	@node tests/bench/run.mjs $(if $(WRITE),--write)

.PHONY: deps deps-demo deps-bench deps-keycloak
deps: ## install what building and testing needs (Debian packages, npm packages of tests/e2e)
	@bash tests/deps.sh

deps-demo: ## install only what the demo needs
	@bash tests/deps.sh demo

deps-bench:
	@bash tests/deps.sh bench

deps-keycloak:
	@bash tests/deps.sh keycloak

MODULES = $(shell $(APXS) -q LIBEXECDIR)
.PHONY: install
install: all ## install the module into httpd's modules directory (DESTDIR=...)
	install -d '$(DESTDIR)$(MODULES)'
	$(APXS) -i -S LIBEXECDIR='$(DESTDIR)$(MODULES)' -n sso $(BUILD)/mod_sso.so

.PHONY: clean help print-flags
clean: ## remove everything that was built
	rm -rf build

help: ## this list
	@grep -E '^[a-z-]+:.* ## ' Makefile | sed -E 's/:.* ## /\t/' | expand -t 12

print-flags:
	@echo '$(CFLAGS_ALL)'

-include $(shell find $(BUILD)/obj $(BUILD)/support $(BUILD)/unit $(BUILD)/fuzz $(BUILD)/printdocs.d -name '*.d' 2>/dev/null)
