// Two routes: one for every key, and one that demands a scope, which the keys of a test do not have.
export const SCOPED = `
[[route]]
path = "/**"
origin = "\${ORIGIN}"

[[route]]
path = "/scoped"
origin = "\${ORIGIN}"
scopes = ["reports:read"]
`;
