"""The binary format of WebAssembly: numbers, instructions, reading and writing of sections."""
