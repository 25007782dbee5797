import { Check, ChevronDown } from "lucide-react";
import type { ReactNode } from "react";
import {
  Checkbox as AriaCheckbox,
  Select as AriaSelect,
  TextField as AriaTextField,
  Button,
  DropZone,
  FieldError,
  FileTrigger,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Radio,
  RadioGroup,
  SelectValue,
  Text,
  TextArea,
} from "react-aria-components";
import { Button as AppButton } from "./Button.tsx";
import styles from "./Field.module.css";

type Common = {
  readonly label: string;
  /** What it means, and what a good value is. */
  readonly hint?: ReactNode;
  /** What is wrong with the value; undefined when nothing is. */
  readonly error?: string | undefined;
  readonly isDisabled?: boolean;
};

/** A line, or several, of text. */
export function TextField({
  label,
  hint,
  error,
  isDisabled = false,
  value,
  onChange,
  unit,
  rows,
  placeholder = "",
  inputMode,
  type = "text",
}: Common & {
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Behind the value. */
  readonly unit?: string;
  /** More than one makes it a text area. */
  readonly rows?: number;
  readonly placeholder?: string;
  readonly inputMode?: "text" | "decimal" | "numeric" | "url";
  readonly type?: "text" | "password" | "date";
}): ReactNode {
  return (
    <AriaTextField
      className={styles.field ?? ""}
      value={value}
      onChange={onChange}
      isInvalid={error !== undefined}
      isDisabled={isDisabled}
      type={type}
      autoComplete="off"
      {...(inputMode === undefined ? {} : { inputMode })}
    >
      <Label className={styles.label ?? ""}>{label}</Label>
      <div className={styles.control}>
        {rows === undefined ? (
          <Input className={styles.input ?? ""} placeholder={placeholder} spellCheck="false" />
        ) : (
          <TextArea className={styles.input ?? ""} rows={rows} placeholder={placeholder} spellCheck="false" />
        )}
        {unit === undefined ? undefined : <span className={styles.unit}>{unit}</span>}
      </div>
      {hint === undefined ? undefined : (
        <Text slot="description" className={styles.hint ?? ""}>
          {hint}
        </Text>
      )}
      <FieldError className={styles.error ?? ""}>{error}</FieldError>
    </AriaTextField>
  );
}

/** One of a few, from a list that opens. */
export function Select<Id extends string>({
  label,
  hint,
  value,
  onChange,
  options,
  isDisabled = false,
}: Common & {
  readonly value: Id;
  readonly onChange: (value: Id) => void;
  readonly options: readonly { readonly id: Id; readonly label: string; readonly note?: string }[];
}): ReactNode {
  return (
    <AriaSelect
      className={styles.field ?? ""}
      value={value}
      onChange={(key) => onChange(key as Id)}
      isDisabled={isDisabled}
    >
      <Label className={styles.label ?? ""}>{label}</Label>
      <Button className={styles.select ?? ""}>
        <SelectValue>{({ selectedText }) => selectedText}</SelectValue>
        <ChevronDown size={16} aria-hidden />
      </Button>
      {hint === undefined ? undefined : (
        <Text slot="description" className={styles.hint ?? ""}>
          {hint}
        </Text>
      )}
      <Popover className={styles.popover ?? ""}>
        <ListBox>
          {options.map((option) => (
            <ListBoxItem key={option.id} id={option.id} textValue={option.label} className={styles.option ?? ""}>
              <div>{option.label}</div>
              {option.note === undefined ? undefined : <div className="soft small">{option.note}</div>}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}

/** Yes or no, with what yes means. */
export function Checkbox({
  children,
  isSelected,
  onChange,
  isDisabled = false,
}: {
  readonly children: ReactNode;
  readonly isSelected: boolean;
  readonly onChange: (isSelected: boolean) => void;
  readonly isDisabled?: boolean;
}): ReactNode {
  return (
    <AriaCheckbox className={styles.check ?? ""} isSelected={isSelected} onChange={onChange} isDisabled={isDisabled}>
      {({ isSelected: isOn }) => (
        <>
          <span className={styles.box} aria-hidden="true">
            {isOn ? <Check size={14} strokeWidth={3} /> : undefined}
          </span>
          <span>{children}</span>
        </>
      )}
    </AriaCheckbox>
  );
}

/** One of a few, each with words of its own. */
export function Choices<Id extends string>({
  label,
  value,
  onChange,
  options,
}: Pick<Common, "label"> & {
  readonly value: Id | undefined;
  readonly onChange: (value: Id) => void;
  readonly options: readonly { readonly id: Id; readonly title: string; readonly note?: ReactNode }[];
}): ReactNode {
  return (
    <RadioGroup
      className={styles.field ?? ""}
      value={value ?? null}
      onChange={(next) => onChange(next as Id)}
      aria-label={label}
    >
      <span className={styles.label} aria-hidden="true">
        {label}
      </span>
      <div className={styles.choices}>
        {options.map((option) => (
          <Radio key={option.id} value={option.id} className={styles.choice ?? ""}>
            <strong>{option.title}</strong>
            {option.note === undefined ? undefined : <span className="soft small">{option.note}</span>}
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}

/** Takes files: dropped, or chosen. */
export function FileDrop({
  label,
  button,
  onFiles,
  accept,
  isMultiple = false,
}: {
  /** What may be dropped here. */
  readonly label: string;
  readonly button: string;
  readonly onFiles: (files: readonly File[]) => void;
  /** Types or endings that the chooser shows. */
  readonly accept?: readonly string[];
  readonly isMultiple?: boolean;
}): ReactNode {
  return (
    <DropZone
      className={styles.drop ?? ""}
      aria-label={label}
      onDrop={({ items }) => {
        const dropped = items.filter((item) => item.kind === "file");
        void Promise.all(dropped.map((item) => item.getFile())).then((files) => {
          const taken = isMultiple ? files : files.slice(0, 1);
          if (taken.length > 0) onFiles(taken);
        });
      }}
    >
      <Text slot="label">{label}</Text>
      <FileTrigger
        allowsMultiple={isMultiple}
        {...(accept === undefined ? {} : { acceptedFileTypes: accept })}
        onSelect={(files) => {
          if (files !== null && files.length > 0) onFiles([...files]);
        }}
      >
        <AppButton isSmall>{button}</AppButton>
      </FileTrigger>
    </DropZone>
  );
}
