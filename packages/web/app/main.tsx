import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import "./styles/tokens.css";
import "./styles/base.css";

const place = document.getElementById("app");
if (place === null) throw new TypeError("index.html has no element #app");
createRoot(place).render(<App />);
