// What a list of measurements says.
import { generator } from "../tests/harness/random.mjs";

/** The value that so large a share of the list is not above. */
export function quantile(list, share) {
  const sorted = Float64Array.from(list).sort();
  const at = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
}

export const median = (list) => quantile(list, 0.5);

/** { median, low, high, interval }: the quartiles, and the bounds of the median with 95 % confidence. */
export function spread(list) {
  return { median: median(list), low: quantile(list, 0.25), high: quantile(list, 0.75), interval: interval(list) };
}

const RESAMPLES = 2000;

/** Bounds of the median by the bootstrap: the same for the same list. */
function interval(list) {
  const random = generator(list.length);
  const medians = new Float64Array(RESAMPLES);
  const drawn = new Float64Array(list.length);
  for (let sample = 0; sample < RESAMPLES; sample += 1) {
    for (let index = 0; index < drawn.length; index += 1) drawn[index] = list[Math.floor(random() * list.length)];
    medians[sample] = median(drawn);
  }
  return [quantile(medians, 0.025), quantile(medians, 0.975)];
}
