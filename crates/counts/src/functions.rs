//! The functions that are counted, each prepared, warmed and then run once.

mod answer;
mod call;
mod derived;
mod key;
mod limit;
mod proof;
mod request;
mod rule;

/// A function that is counted.
pub(crate) struct Function {
    /// What it belongs to, and what is special about this run.
    pub(crate) name: &'static str,
    /// Prepares it, and measures it once.
    pub(crate) run: fn(),
}

/// Every function.
pub(crate) fn all() -> impl Iterator<Item = Function> {
    let tables = [
        call::ALL,
        derived::ALL,
        proof::ALL,
        answer::ALL,
        request::ALL,
        key::ALL,
        rule::ALL,
        limit::ALL,
    ];
    let functions = tables.into_iter().flatten();
    functions.map(|&(name, run)| Function { name, run })
}

#[cfg(test)]
mod tests {
    use super::all;

    /// Each asserts that it does what its name says.
    #[test]
    fn every_function_runs() {
        for function in all() {
            (function.run)();
        }
    }
}
