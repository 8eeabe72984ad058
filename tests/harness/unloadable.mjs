// Takes the place of the control plane's bindings, where it must not be loaded.
throw new Error("the control plane was loaded");
