# What CI runs, one line each.

fmt:
    cargo fmt --all --check

lint:
    cargo clippy --workspace --all-targets --release -- -D warnings

docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --release

test:
    cargo test --workspace --release

test-portable:
    MEGREZ_SIMD=portable cargo test --release -p megrez -p megrez-cli -p megrez-dsp -p megrez-acquire -p megrez-track -p megrez-sim

bench:
    cargo bench --workspace

ci: fmt lint docs test test-portable
