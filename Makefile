# Every target makes .venv first if it is not there: Python 3.11 or newer, make and a package index are enough.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test replicate verify narrow faults keras wheel fuzz lint format bench record workloads
.PHONY: scaling figures tour docs clean

run: .venv/run.stamp  ## train the notebook's first experiment on the whole of MNIST
	$(BIN)/rawstep train

test: .venv/test.stamp  ## all tests; half of them start processes and wait, so three at a time
	$(BIN)/pytest -n 3 --dist loadfile --max-worker-restart 0

CERTIFICATE := benchmarks/records/$(shell date -u +%F)_certificate

replicate: .venv/run.stamp  ## the notebook's experiments and questions over five seeds, into benchmarks/records
	$(BIN)/rawstep replicate --out benchmarks/records/$(shell date -u +%F)_replicate

verify: .venv/test.stamp  ## the whole certificate, into benchmarks/records
	mkdir -p $(CERTIFICATE)
	$(BIN)/rawstep verify --strict --json $(CERTIFICATE)/certificate.json
	$(BIN)/rawstep verify --strict --dtype bfloat16 float16 --execution xla-loop --steps 1000 \
		--json $(CERTIFICATE)/narrow.json

NARROW := benchmarks/records/$(shell date -u +%F)_narrow

narrow: .venv/test.stamp  ## where rules stop in narrow dtypes, and networks trained in them, into benchmarks/records
	mkdir -p $(NARROW)
	$(BIN)/rawstep narrow --json $(NARROW)/stops.json --markdown $(NARROW)/stops.md
	for seed in 0 1 2; do for dtype in float32 bfloat16 float16; do \
		$(BIN)/rawstep train --compute $$dtype --init he --ema 0.999,warmup=1000 --epochs 4 --seed $$seed \
			--json $(NARROW)/mlp-$$dtype-$$seed.json || exit; \
		$(BIN)/rawstep train --workload cnn --compute $$dtype --epochs 1 --seed $$seed \
			--json $(NARROW)/cnn-$$dtype-$$seed.json || exit; \
	done; done

faults: .venv/test.stamp $(if $(PART),,fuzz)  ## every fault, really caused; PART=ctrl_c, workers, … for one, see tests/training/faults
	$(BIN)/pytest tests/training/faults tests/training/runs/distribution tests/training/test_streaming.py \
		tests/training/test_determinism.py $(PART:%=-k test_%.py) -m "" -s

keras: .venv/test.stamp  ## Keras's own tests with our rules in them, and all trainings that must end with Keras's bits
	$(BIN)/pytest tests/core/keras_own tests/core/test_keras_situations.py -m "" -n 2 --dist loadfile

wheel: .venv/test.stamp  ## the wheel, with its dependencies in an empty environment
	$(BIN)/pytest tests/test_wheel.py -m ""

fuzz: .venv/test.stamp  ## damaged files of every format that a command reads, by atheris: 20 minutes
	$(BIN)/python -m tests.training.hostile.campaign

lint: .venv/test.stamp  ## style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

format: .venv/test.stamp  ## fix what ruff can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

RECORD := benchmarks/records/$(shell date -u +%F)_cpu

record: .venv/test.stamp  ## every paired comparison and study on this machine's processor, into benchmarks/records
	$(BIN)/rawstep-bench compare --out $(RECORD) --engines xla-loop xla-loop-one-pass xla-step graph tf1-session \
		keras-fit keras-jit keras-epoch keras-unrolled keras-step frozen-step \
		jax-step jax-scan torch-eager torch-fused torch-compiled
	$(BIN)/rawstep-bench compare --out $(RECORD) --hidden 64 64 --batch-size 32 --engines rawstep xla-loop \
		xla-loop-one-pass xla-step tf1-session keras-fit keras-epoch jax-step jax-scan torch-fused \
		jax-scan@--xla_cpu_enable_concurrency_optimized_scheduler=false
	$(BIN)/rawstep-bench compare --out $(RECORD:_cpu=_recorder) --engines xla-loop xla-loop-recorded xla-loop-recorded-10
	$(BIN)/rawstep-bench compare --out $(RECORD:_cpu=_kept) --rounds 40 --engines rawstep xla-loop rawstep-stop rawstep-skip \
		rawstep-checkpointed
	$(BIN)/rawstep-bench compare --out $(RECORD:_cpu=_streamed) --engines rawstep rawstep-streamed
	$(BIN)/rawstep-bench compare --out $(RECORD:_cpu=_streamed) --workload cnn --engines rawstep rawstep-streamed
	for name in mlp cnn; do \
		$(BIN)/rawstep-bench compare --out $(NARROW) --workload $$name --rounds 12 --engines rawstep rawstep-bfloat16 \
			rawstep-float16 rawstep-bfloat16-parameters || exit; \
	done
	$(BIN)/rawstep-bench update --out $(RECORD)
	$(BIN)/rawstep-bench overhead --out $(RECORD)
	$(BIN)/rawstep-bench grow --rounds 3 --out $(RECORD)

PEERS := keras-fit keras-jit keras-epoch keras-graph-epoch keras-step jax-step jax-scan torch-eager torch-fused

workloads: .venv/test.stamp  ## each problem trained, and compared with other libraries, into benchmarks/records
	mkdir -p $(RECORD:_cpu=_workloads)
	for seed in 0 1 2; do \
		$(BIN)/rawstep train --workload cnn --seed $$seed --json $(RECORD:_cpu=_workloads)/cnn-$$seed.json || exit; \
	done
	for name in autoencoder transformer regression; do \
		$(BIN)/rawstep train --workload $$name --json $(RECORD:_cpu=_workloads)/$$name.json \
			--plot $(RECORD:_cpu=_workloads)/$$name.svg || exit; \
	done
	$(BIN)/rawstep-bench compare --out $(RECORD) --workload cnn --engines rawstep xla-step xla-loop $(PEERS) torch-channels-last
	$(BIN)/rawstep-bench compare --out $(RECORD) --workload transformer --engines rawstep graph xla-step $(PEERS)

scaling: .venv/test.stamp  ## replicas on this machine's processor, and what their all-reduce takes, into benchmarks/records
	$(BIN)/rawstep-bench compare --out $(RECORD:_cpu=_replicas) --rounds 12 --engines xla-loop mirrored-2 workers-2 \
		mirrored-2-ordered workers-2-ordered keras-fit keras-mirrored-2
	$(BIN)/rawstep-bench compare --out $(RECORD:_cpu=_replicas) --rounds 12 --batch-size 120 --engines xla-loop workers-3
	$(BIN)/rawstep-bench grow --out $(RECORD:_cpu=_replicas) --rounds 3 --studies replicas-strong replicas-weak \
		replicas-widths replicas-batches

bench: .venv/test.stamp  ## times of an update, a step and an epoch in each execution, saved under .benchmarks
	$(BIN)/pytest benchmarks -m "" --benchmark-enable --benchmark-autosave

figures: .venv/test.stamp  ## what README.md, docs/ and the replication's page show of the newest records
	$(BIN)/python -m benchmarks.documentation
	$(BIN)/cog -rP -I . README.md docs/*.md

tour: .venv/test.stamp  ## run docs/tour.ipynb and store what it shows
	$(BIN)/python -m tests.docs.tour

docs: .venv/test.stamp  ## the documentation as a site, in build/docs/index.html; it needs no network
	$(BIN)/sphinx-build -q -W --keep-going docs build/docs

clean:
	rm -rf .venv

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/run.stamp: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/test.stamp: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@ .venv/run.stamp
