# Flowlet: `make help` lists what there is. One folder a build under build/.
BUILD ?= release
CC = gcc
OUT = build/$(BUILD)
PKGS = libuv libmicrohttpd gnutls zlib libcurl libcares libidn2 libseccomp sqlite3 libsodium libcrypto libssl jansson javascriptcoregtk-4.1
WARN = -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wwrite-strings -Wvla -Wundef -Wformat=2 -Wswitch-enum -Wno-format-truncation -Werror
CFLAGS_release = -O2 -g -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fcf-protection
CFLAGS_debug = -O0 -g
CFLAGS_asan = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
CFLAGS_fuzz = -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -w
CFLAGS_tsan = -O1 -g -fsanitize=thread
LDFLAGS_release = -pie -Wl,-z,relro,-z,now
LDFLAGS_asan = -fsanitize=address,undefined
LDFLAGS_fuzz = -fsanitize=fuzzer,address,undefined
LDFLAGS_tsan = -fsanitize=thread

PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null | sed 's/-I/-isystem /g')
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
CFLAGS += -std=gnu17 -fPIE $(WARN) $(CFLAGS_$(BUILD)) -D_GNU_SOURCE -Isrc -I$(OUT)/gen $(PKG_CFLAGS)
LDLIBS += $(PKG_LIBS) -lresolv -lpthread -ldl -lm

SOURCES := $(shell find src -name '*.c' ! -name main.c | sort)
OBJECTS := $(SOURCES:src/%.c=$(OUT)/%.o)
TESTS := $(wildcard tests/unit/*.c)

all: $(OUT)/flowlet ## build/flowlet (BUILD=release debug asan tsan)
	@ln -sfn $(BUILD)/flowlet build/flowlet

$(OUT)/flowlet: $(OUT)/main.o $(OBJECTS)
	@echo "  ld $@"; $(CC) $(LDFLAGS_$(BUILD)) -o $@ $^ $(LDLIBS)

$(OUT)/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	@echo "  cc $<"; $(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# The JavaScript that workers run, built by node and embedded. npm asks the network only when the lock file is newer.
BUNDLES := build/gen/runtime.js build/gen/toolbox.js build/gen/checker.js
NPM_DONE := runtime/node_modules/.package-lock.json
$(OUT)/worker/bundle.o $(OUT)/js/version.o: $(BUNDLES)
$(OUT)/js/version.o: CFLAGS += -DTOOLBOX_VERSION='"$(shell cat build/gen/toolbox.js build/gen/checker.js | sha256sum | cut -c1-16)"'
$(OUT)/worker/bundle.o: CFLAGS += -DBUNDLE_DIR='"build/gen"'
$(BUNDLES) &: $(shell find runtime/src -type f) runtime/library.d.ts runtime/build.mjs $(NPM_DONE)
	@echo "  bundle runtime"; cd runtime && OUT=../build/gen npm run --silent build
	@touch $(BUNDLES)
$(NPM_DONE): runtime/package-lock.json
	tools/setup npm runtime

# What `flowlet init` can write, embedded.
build/gen/templates.json: tools/templates.mjs $(shell find workspaces -type f)
	@mkdir -p $(@D)
	@node $< $@
$(OUT)/cli/templates.o: build/gen/templates.json
$(OUT)/cli/templates.o: CFLAGS += -DTEMPLATES_FILE='"build/gen/templates.json"'

# Unit tests: each module's test program has Criterion register its tests.
TESTS_LIB = -lcriterion
TESTS_WORKER = $(OUT)/tests/unit-worker
ifeq ($(BUILD),tsan)
TESTS := $(addprefix tests/unit/,tsan/main.c test_loop.c test_password.c test_secrets.c test_store.c test_store_power.c test_store_backup.c)
TESTS_LIB = # tests/unit/tsan/criterion says why not
TESTS_WORKER =
$(OUT)/tests/%.o: CFLAGS += -isystem tests/unit/tsan
endif
$(OUT)/tests/unit: $(TESTS:tests/unit/%.c=$(OUT)/tests/%.o) $(OBJECTS)
	@mkdir -p $(@D)
	@echo "  ld $@"; $(CC) $(LDFLAGS_$(BUILD)) -o $@ $^ $(LDLIBS) $(TESTS_LIB)
$(OUT)/tests/unit-worker: $(TESTS:tests/unit/%.c=$(OUT)/tests/%.o) $(OUT)/tests/worker/main.o $(OBJECTS)
	@echo "  ld $@"; $(CC) $(LDFLAGS_$(BUILD)) -o $@ $^ $(LDLIBS) $(TESTS_LIB)
$(OUT)/tests/%.o: tests/unit/%.c Makefile
	@mkdir -p $(@D)
	@echo "  cc $<"; $(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# Operations without a server around them, for tests/peers.
$(OUT)/tests/drive: $(OUT)/tests/drive.o $(OBJECTS)
	@echo "  ld $@"; $(CC) $(LDFLAGS_$(BUILD)) -o $@ $^ $(LDLIBS)
$(OUT)/tests/drive.o: tests/peers/drive.c Makefile
	@mkdir -p $(@D)
	@echo "  cc $<"; $(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# Programs that tests written elsewhere use; main() of their own.
$(OUT)/tests/tools/%: tests/tools/%.c $(OUT)/tests/flow_helper.o $(OBJECTS)
	@mkdir -p $(@D)
	@echo "  cc $@"; $(CC) $(CFLAGS) $(LDFLAGS_$(BUILD)) -o $@ $^ $(LDLIBS)

test-tools: $(patsubst tests/tools/%.c,$(OUT)/tests/tools/%,$(wildcard tests/tools/*.c)) ## what tests written elsewhere use

test-runtime: test-tools runtime/node_modules/.package-lock.json ## the worker's TypeScript, with the proofs of docs/semantics.md
	npm --prefix runtime test

# Fuzzers, by clang: tests/fuzz/run builds and runs them.
build/fuzz/fuzz_%: build/fuzz/tests/fuzz_%.o $(OBJECTS)
	@echo "  ld $@"; $(CC) $(LDFLAGS_fuzz) -o $@ $^ $(LDLIBS)
build/fuzz/tests/fuzz_%.o: tests/fuzz/fuzz_%.c Makefile
	@mkdir -p $(@D)
	@echo "  cc $<"; $(CC) $(CFLAGS) -MMD -MP -c -o $@ $<
fuzzers: $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

spec: $(OUT)/tests/tools/write_spec ## writes spec/*.schema.json from the tables of the documents
	@mkdir -p spec && $< spec

docs: $(OUT)/tests/tools/write_blocks $(OUT)/tests/tools/write_api ## writes docs/blocks.md, docs/library.md and the operations in docs/api.md from the code
	@$< > docs/blocks.md && node tools/library_docs.mjs > docs/library.md && $(OUT)/tests/tools/write_api docs/api.md

test: $(OUT)/tests/unit $(TESTS_WORKER) ## the unit tests (BUILD=asan for the sanitizers; T=name for one suite)
	@rm -f $(OUT)/report.*
	ASAN_OPTIONS=log_path=$(OUT)/report $(OUT)/tests/unit $(if $(T),--filter '$(T)/*')
	@! cat $(OUT)/report.* 2>/dev/null # Criterion overlooks a leak that a test's process tells at its exit

# Packages
VERSION = 0.1.0
PREFIX = /usr/local
DEB = build/flowlet_$(VERSION)_$(shell dpkg --print-architecture 2>/dev/null).deb
install: all ## to PREFIX (/usr/local) under DESTDIR: program, manual page, completions, example workspaces
	install -D -m 0755 $(OUT)/flowlet $(DESTDIR)$(PREFIX)/bin/flowlet
	install -d $(addprefix $(DESTDIR)$(PREFIX)/share/,man/man1 bash-completion/completions zsh/vendor-completions flowlet)
	tools/man $(OUT)/flowlet $(VERSION) > $(DESTDIR)$(PREFIX)/share/man/man1/flowlet.1
	$(OUT)/flowlet completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/flowlet
	$(OUT)/flowlet completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/vendor-completions/_flowlet
	cp -r --no-preserve=ownership workspaces $(DESTDIR)$(PREFIX)/share/flowlet/

deb: all ## a Debian package, build/flowlet_VERSION_ARCH.deb
	tools/deb $(VERSION) $(DEB)

headers: ## each header compiles alone
	@for h in $$(find src -name '*.h'); do echo "#include \"$${h#src/}\"" | $(CC) $(CFLAGS) -fsyntax-only -x c - || exit 1; done

check: headers ## modules include only what stands above them, headers compile alone
	@tools/layers

format: ## clang-format over all C
	clang-format -i $$(git ls-files 'src/*.[ch]' 'tests/*.[ch]')

clean: ## removes all builds
	rm -rf build

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/;s/^/make /' | expand -t 17
	@printf '\n%s\n' 'Beside it, each with --help:'
	@printf '%-17s%s\n' './run' 'start the emergency workspace in practice mode' './test' 'all tests, or unit, checks, cron, peers, recipes, docs, packages, kill, fuzz, bench alone' \
	    'tests/kill/run' 'kill -9 under load: nothing lost, nothing doubled' 'tests/fuzz/run' 'the fuzzers' 'bench/run' 'speed and size beside others'

.PHONY: all docs install deb test test-runtime test-tools spec headers check format clean help fuzzers
.SECONDARY:
-include $(OBJECTS:.o=.d) $(OUT)/main.d $(TESTS:tests/unit/%.c=$(OUT)/tests/%.d)
