// How JupyterLab takes an extension in: a container of modules that is handed JupyterLab's own.
(() => {
  const here = document.currentScript.src;
  let shared;
  const use = async name => (await Object.values(shared[name])[0].get())();
  const activate = app => void import(new URL('present.js', here)).then(one => one.start(app, use));
  const plugin = { id: 'dockerlab-present:plugin', autoStart: true, activate };
  const modules = { './extension': () => ({ __esModule: true, default: plugin }) };
  globalThis._JUPYTERLAB ??= {};
  globalThis._JUPYTERLAB['dockerlab-present'] = {
    init: scope => { shared = scope; },
    get: async name => modules[name],
  };
})();
