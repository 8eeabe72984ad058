// Reads an HTTP/1.1 response as RFC 9112 describes it, strictly.

/** The status and the header lines of a response's head. */
export function parseHead(text) {
  const [first, ...rest] = text.split("\r\n");
  const [, status] = first.match(/^HTTP\/1\.1 (\d{3}) /) ?? [];
  if (!status) throw new Error(`not a status line: ${first}`);
  const lines = rest.filter(Boolean).map((line) => {
    const [, name, value] = line.match(/^([^:\s]+):[ \t]*(.*?)[ \t]*$/) ?? [];
    if (!name) throw new Error(`not a header line: ${line}`);
    return [name, value];
  });
  const values = (name) => lines.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value);
  return { status: Number(status), lines, values, header: (name) => values(name)[0] };
}

/** The body: { bytes, complete }. It is not complete when the connection ended too early. */
export async function readBody({ status, header }, method, source) {
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return { bytes: Buffer.alloc(0), complete: true };
  if (header("transfer-encoding") === "chunked") return readChunks(source);
  const length = header("content-length");
  if (length === undefined) return { bytes: await source.rest(), complete: true };
  const bytes = await source.exactly(Number(length));
  return { bytes, complete: bytes.length === Number(length) };
}

async function readChunks(source) {
  const chunks = [];
  for (;;) {
    const line = await source.line();
    const length = Number.parseInt(line, 16);
    if (Number.isNaN(length)) return { bytes: Buffer.concat(chunks), complete: false };
    const chunk = await source.exactly(length);
    chunks.push(chunk);
    const end = await source.line();
    if (length === 0 || end === undefined) return { bytes: Buffer.concat(chunks), complete: end !== undefined };
  }
}
