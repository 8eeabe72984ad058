// How a benchmark says what it does and what it found.

/** A progress bar on standard error; nothing where that is no terminal. */
export class Progress {
  #done = 0;

  constructor(name, total) {
    this.name = name;
    this.total = total;
    this.add(0);
  }

  add(count) {
    this.#done += count;
    if (!process.stderr.isTTY) return;
    const share = Math.min(1, this.#done / this.total);
    const bar = "█".repeat(Math.round(share * 30)).padEnd(30, "░");
    process.stderr.write(`\r${this.name} ${bar} ${Math.round(share * 100)} %`);
  }

  end() {
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  }
}

/** A table of text: the first column on the left, the others on the right. */
export function table(header, rows) {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines.map((line) => line.map((cell, column) => (column ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join("   ")).join("\n");
}

/** A median with the quartiles behind it. */
export const quartiles = ({ median, low, high }, digits) => `${median.toFixed(digits)} (${low.toFixed(digits)}-${high.toFixed(digits)})`;
