// The body guard: overwrites a secret where a body repeats it, as the body streams. Each occurrence is
// overwritten by as many asterisks, so that lengths and the frames of an event stream hold. Held back are
// only bytes that a secret may begin with.
const ASTERISK = 0x2a;

// So much is read at a time at most; an event is passed on as soon as it is there.
const PIECE = 65_536;

// What writers of JSON write by numbers, beside what they have to: nothing, or what means something in HTML.
const ESCAPED = ["", "<>&", "<>&'", "<>&'\"", "<>&'\"`+"];

// The body without these words, the spellings of a secret: as it streams, or the promise of one that says
// that it is short. Where its length is known it stays so.
export function guarded(response, words, length) {
  const reader = response.body.getReader({ mode: "byob" });
  const search = new Search(words);
  return length > 0 && length <= PIECE ? short(reader, search, length) : streamed(reader, search, length, reader.read(new Uint8Array(PIECE)));
}

// Mostly it comes in one piece, and to pass on a stream takes the runtime longer than all the rest of a call.
async function short(reader, search, length) {
  const first = reader.read(new Uint8Array(length));
  const { value } = await first.catch(() => ({}));
  if (value?.length !== length) return streamed(reader, search, length, first);
  search.next(value);
  return value;
}

function streamed(reader, search, length, first) {
  const { readable, writable } = length === null ? new IdentityTransformStream() : new FixedLengthStream(length);
  pump(reader, writable.getWriter(), search, first);
  return readable;
}

// Faster than a `TransformStream`, and the same buffer serves again: what was written was also read.
async function pump(reader, writer, search, first) {
  try {
    for (let read = first; ; ) {
      const { done, value } = await read;
      if (done) break;
      const ready = search.next(value);
      if (ready.length > 0) await writer.write(ready);
      read = reader.read(new Uint8Array(value.buffer));
    }
    if (search.rest().length > 0) await writer.write(search.rest());
    await writer.close();
  } catch (error) {
    // The client has left, or the origin has broken off: neither goes on without the other.
    writer.abort(error).catch(() => {});
    reader.cancel(error).catch(() => {});
  }
}

// As it is, as it stands in a URL or a form, and as it stands in JSON; in the ways in which common
// libraries write them.
export function spellings(secret) {
  const url = encodeURIComponent(secret);
  const [strict, form] = [/[!'()*]/g, /[!'()]/g].map((raw) => url.replace(raw, (byte) => `%${hex(byte).toUpperCase()}`));
  const urls = [url, ...[strict, form].flatMap((text) => [text, text.replaceAll("~", "%7E")])]
    .flatMap((text) => [text, text.replaceAll("%20", "+")])
    .flatMap((text) => [text, text.replaceAll("%2F", "/")]);
  const lower = urls.map((text) => text.replace(/%../g, (code) => code.toLowerCase()));
  const jsons = ESCAPED.flatMap((bytes) => [json(secret, bytes, hex), json(secret, bytes, (byte) => hex(byte).toUpperCase())])
    .flatMap((text) => [text, text.replaceAll("/", "\\/")]);
  const all = new Set([secret, ...urls, ...lower, ...jsons]);
  return [...all].map((text) => new TextEncoder().encode(text));
}

const hex = (byte) => byte.charCodeAt(0).toString(16);

// As JSON that writes these by their numbers.
const json = (secret, bytes, number) =>
  [...secret].map((byte) => (bytes.includes(byte) ? `\\u00${number(byte)}` : JSON.stringify(byte).slice(1, -1))).join("");

// The words of a search, each with what to go back to.
export const prepared = (words) => words.map((bytes) => ({ bytes, back: fallbacks(bytes) }));

// Finds several words in a stream of bytes, in time that grows with the stream alone (Knuth, Morris,
// Pratt), also where occurrences overlap.
export class Search {
  #words;
  // What is not passed on yet, masked where it has to be.
  #held = new Uint8Array(0);

  constructor(words) {
    this.#words = words.map((word) => ({ ...word, matched: 0 }));
  }

  // What may be passed on after this chunk, in which it masks whatever ends there.
  next(chunk) {
    const before = this.#held.length;
    const found = this.#words.flatMap((word) => ends(word, chunk).map((end) => [before + end - word.bytes.length, before + end]));
    let bytes = chunk;
    if (before > 0) {
      bytes = new Uint8Array(before + chunk.length);
      bytes.set(this.#held);
      bytes.set(chunk, before);
    }
    // What was passed on already was masked.
    for (const [start, end] of found) bytes.fill(ASTERISK, Math.max(start, 0), end);
    let ready = bytes.length - Math.max(...this.#words.map((word) => word.matched));
    // What is masked need not wait, whatever it may be the beginning of as well.
    found.sort(([one], [other]) => one - other);
    for (const [start, end] of found) if (start <= ready && end > ready) ready = end;
    ready = Math.max(ready, 0);
    this.#held = bytes.slice(ready);
    return bytes.subarray(0, ready);
  }

  // What is left at the end: it is no whole word.
  rest() {
    return this.#held;
  }
}

// Where the word ends in this chunk.
function ends(word, chunk) {
  const { bytes, back } = word;
  const found = [];
  let matched = word.matched;
  for (let i = 0; i < chunk.length; i += 1) {
    if (matched === 0) {
      i = chunk.indexOf(bytes[0], i);
      if (i < 0) break;
    }
    while (matched > 0 && chunk[i] !== bytes[matched]) matched = back[matched - 1];
    if (chunk[i] === bytes[matched]) matched += 1;
    if (matched === bytes.length) {
      found.push(i + 1);
      matched = back[matched - 1];
    }
  }
  word.matched = matched;
  return found;
}

// For each beginning of the word, how long its longest own beginning is that it also ends with.
function fallbacks(bytes) {
  const back = new Uint16Array(bytes.length);
  for (let i = 1, length = 0; i < bytes.length; i += 1) {
    while (length > 0 && bytes[i] !== bytes[length]) length = back[length - 1];
    if (bytes[i] === bytes[length]) length += 1;
    back[i] = length;
  }
  return back;
}
