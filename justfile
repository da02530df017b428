# What is done often. `just` without a name lists it.

_default:
    @just --list

# the demo world, in the terminal
demo:
    cargo run --release -- --demo

# what needs no server, no pty and no kills
quick:
    scripts/test quick

# what CI runs
test:
    scripts/test

# all of what `test` runs a part of
long:
    scripts/test long

# a binary to hand on: target/dist/polytape
dist:
    cargo build --locked --profile dist
