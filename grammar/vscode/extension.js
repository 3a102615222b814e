// Starts `blurc lsp`, and stops it when the window closes.
const path = require("node:path");
const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

function command() {
  const name = vscode.workspace.getConfiguration("blur").get("command");
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  return folder && name.includes("/") ? path.resolve(folder, name) : name;
}

exports.activate = async () => {
  const server = { command: command(), args: ["lsp"] };
  client = new LanguageClient("blur", "blurc", server, { documentSelector: [{ scheme: "file", language: "blur" }] });
  try {
    await client.start();
  } catch (error) {
    vscode.window.showErrorMessage(`${server.command} lsp did not start: ${error.message}. See "blur.command".`);
  }
};

exports.deactivate = () => client?.stop();
