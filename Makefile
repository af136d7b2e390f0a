# The commands of everyday work. `make` lists them.

# The packages whose tests take seconds; the others run in `make check`.
QUICK := ./interaction/... ./trigger ./expr ./request ./contract ./workflows/... ./activities ./alerts ./client/... \
	./config/... ./recovery ./metrics/... ./spelling ./worker/... ./starter/draw ./architecture

# How much `make long` does. CI plays 120 sequences, draws some hundred random cases of each property, and fuzzes nothing.
SEQUENCES ?= 1000
RAPID_CHECKS ?= 10000
FUZZ_TIME ?= 1m

# How often `make micro` runs each benchmark.
COUNT ?= 1

# A workspace above the checkout would change which versions are tested.
export GOWORK := off

.PHONY: help dev demo quick check docs long micro bench

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: ## Run Segue on this machine: Temporal, its UI and a worker
	go run ./starter dev

demo: ## Play a day of a contact center and check every delivery
	go run ./starter demo --exit

quick: ## Check formatting, vet, language and the fast tests, in less than 30 s when Go's cache is warm
	@badly=$$(gofmt -l .); if [ -n "$$badly" ]; then echo "not formatted, run gofmt -w on:"; echo "$$badly"; exit 1; fi
	go vet ./...
	go test $(QUICK)
	.ci/english

check: ## Check everything, as CI does
	bash .ci/run

docs: ## Write all generated files again (schema, example day, tables, types, pictures), and run the commands of all pages
	go generate ./...
	SEGUE_WRITE_DOCS=1 go test -count=1 ./interaction ./expr
	go test -count=1 ./starter/draw -update
	SEGUE_WRITE_DOCS=1 go test -count=1 ./e2e/documents

long: ## Run at full length what CI runs reduced: random sequences, properties, fuzzing (half an hour)
	go test -count=1 -timeout 30m ./e2e/sequences -run Random -sequences $(SEQUENCES)
	SEGUE_WHOLE=1 SEGUE_FUZZ=200 go test -count=1 -timeout 40m ./e2e ./e2e/desktop ./e2e/engagement/scxml ./e2e/gateway ./e2e/gws ./e2e/his ./e2e/platform ./e2e/streams
	go test -count=1 -timeout 60m ./e2e/replicas -full
	go test -count=1 -timeout 60m ./interaction/... ./request ./workflows ./delivery ./e2e/wire -rapid.checks $(RAPID_CHECKS)
	@grep -ro --include='*_test.go' 'func Fuzz[A-Za-z]*' . | sed 's|^\./\(.*\)/[^/]*:func \(.*\)|\1 \2|' | sort | \
	while read -r package target; do \
		echo "go test ./$$package -run '^$$' -fuzz '^$$target$$' -fuzztime $(FUZZ_TIME)"; \
		go test ./$$package -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZ_TIME) || exit 1; \
	done

micro: ## Measure apply, match, render, sign and encode with their allocations (about 2 minutes)
	go test -run '^$$' -bench . -count $(COUNT) ./interaction/... ./trigger ./request ./delivery ./contract

bench: ## Measure cost, gateway, latency, isolation, overload, memory and replay beside baselines (about 45 minutes)
	go -C bench run ./cost
	go -C bench run ./gateway
	go -C bench run ./latency
	go -C bench run ./isolation
	go -C bench run ./life
	go -C bench run ./open
	go -C bench run ./replay
