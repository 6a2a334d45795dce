/* Questions as people type them: "KL散度", "ToTensor除以255", full-width letters.

   The index holds Chinese words and Latin words apart; the theme cuts a question at
   spaces only. So a space goes between the two scripts before the question reaches the
   search worker (message type 2). Loaded before the theme's script. */

function readQuestion(text) {
  return text
    .normalize("NFKC")
    .replace(/(\p{sc=Han})(?=[A-Za-z0-9])/gu, "$1 ")
    .replace(/([A-Za-z0-9])(?=\p{sc=Han})/gu, "$1 ");
}

for (const kind of new Set([window.Worker, window.IFrameWorker])) {
  if (kind === undefined) continue;
  const post = kind.prototype.postMessage;
  kind.prototype.postMessage = function (message, ...rest) {
    const asks = message?.type === 2 && typeof message.data === "string";
    const sent = asks ? { ...message, data: readQuestion(message.data) } : message;
    return post.call(this, sent, ...rest);
  };
}
