// Loaded before the gateway: notes the memory of each WebAssembly instance that is made after it.
const { Instance } = WebAssembly;
const memories = [];

WebAssembly.Instance = class extends Instance {
  constructor(...all) {
    super(...all);
    memories.push(this.exports.memory);
  }
};

/** The bytes of all of them together. A memory never shrinks. */
export const memoryBytes = () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
