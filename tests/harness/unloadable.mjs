// Takes the place of the bindings of a module that must not be loaded.
throw new Error("a module was loaded that must not be");
