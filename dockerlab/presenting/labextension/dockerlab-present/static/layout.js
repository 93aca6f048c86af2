// Nothing on the page but the lesson and a terminal, large enough for the last row of seats.

const WIDE = 1400; // pixels: from here on they stand side by side, else one above the other
const [SMALLEST, LARGEST] = [16, 24]; // pixels of letters

export class Layout {
  constructor(app) {
    this.app = app;
    const style = document.createElement('link');
    style.rel = 'stylesheet';
    style.href = new URL('present.css', import.meta.url);
    document.head.append(style);
    globalThis.addEventListener('resize', () => this.arrange());
  }

  // The lesson's panel, with a terminal beside it and everything else away.
  async open(path) {
    const { commands, shell } = this.app;
    this.calm();
    this.folder = path.split('/')[0]; // where the kernel is, too
    this.panel = await commands.execute('docmanager:open', { path });
    this.panel.toolbar.hide();
    for (const widget of [...shell.widgets('main')])
      if (widget !== this.panel && !isTerminal(widget)) widget.dispose();
    if (!this.terminals().length) await this.terminal();
    this.arrange();
    shell.activateById(this.panel.id);
    return this.panel;
  }

  calm() {
    const { shell, commands } = this.app;
    shell.collapseLeft();
    shell.collapseRight();
    for (const side of ['left', 'right'])
      if (shell.isSideTabBarVisible(side)) shell.toggleSideTabBarVisibility(side);
    for (const widget of shell.layout.widgets)
      if (['jp-top-panel', 'jp-menu-panel', 'jp-bottom-panel'].includes(widget.id)) widget.hide();
    if (commands.isToggled('statusbar:toggle')) void commands.execute('statusbar:toggle');
  }

  terminals() {
    return [...this.app.shell.widgets('main')].filter(isTerminal);
  }

  terminal() {
    return this.app.commands.execute('terminal:create-new', { cwd: this.folder });
  }

  // A new one, in place of all that were there, with whatever runs in them.
  async renewTerminal() {
    const old = this.terminals();
    await this.terminal();
    for (const terminal of old) {
      await terminal.content.session.shutdown().catch(() => {});
      terminal.dispose();
    }
    this.arrange();
  }

  arrange() {
    const dock = this.panel?.parent;
    if (!dock) return;
    const terminals = this.terminals();
    const lessons = [...this.app.shell.widgets('main')].filter(one => !isTerminal(one));
    const wide = innerWidth >= WIDE;
    const size = Math.round(Math.min(LARGEST, Math.max(SMALLEST, innerWidth / 80)));
    document.documentElement.style.setProperty('--dockerlab-size', `${size}px`);
    document.documentElement.style.setProperty('--dockerlab-zoom', size / SMALLEST);
    for (const { content } of terminals)
      void content.ready.then(() => content.setOption('fontSize', size));
    const areas = [
      { type: 'tab-area', widgets: lessons, currentIndex: lessons.indexOf(this.panel) },
      { type: 'tab-area', widgets: terminals, currentIndex: terminals.length - 1 },
    ].filter(area => area.widgets.length);
    dock.restoreLayout({
      main: {
        type: 'split-area',
        orientation: wide ? 'horizontal' : 'vertical',
        sizes: wide ? [0.6, 0.4] : [0.7, 0.3],
        children: areas,
      },
    });
  }
}

function isTerminal(widget) {
  return Boolean(widget.content?.hasClass?.('jp-Terminal'));
}
