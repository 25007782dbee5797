/**
 * Hands a text to the visitor as a file.
 *
 * @param name - Of the file.
 * @param text - What it holds.
 */
export function saveText(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
