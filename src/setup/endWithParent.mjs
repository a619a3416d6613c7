const checkEveryMs = 500;

/**
 * Ends this process as SIGTERM does when the process that started it is gone. npm hands SIGTERM to the shell in which
 * it runs a script, and a shell that has not replaced itself by the script dies without passing it on.
 */
export function endWithParent() {
  // Without npm, a parent that ends means nothing: that is how a program is put into the background.
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, checkEveryMs);
  timer.unref();
}
