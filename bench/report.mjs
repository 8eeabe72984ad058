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

/** Median, 10th and 90th percentile of each call's times, and the ratio of the medians. */
export function ratios(samples, base, other) {
  return Object.entries(samples).map(([name, times]) => {
    const [of, to] = [spread(times[base]), spread(times[other])];
    return { name, [base]: of, [other]: to, ratio: to.median / of.median };
  });
}

function spread(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { median: at(0.5), p10: at(0.1), p90: at(0.9) };
}

/** The ratios as a table of text. */
export function table(rows, sizes) {
  const names = Object.keys(sizes);
  const time = ({ median, p10, p90 }) => `${median.toFixed(2)} (${p10.toFixed(2)}-${p90.toFixed(2)})`;
  const lines = [
    ["call", ...names.map((name) => `ms at ${sizes[name]} keys`), "ratio"],
    ...rows.map((row) => [row.name, ...names.map((name) => time(row[name])), row.ratio.toFixed(2)]),
  ];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines.map((line) => line.map((cell, column) => (column ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join("   ")).join("\n");
}
