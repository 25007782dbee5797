/** Every route of a domain provider, once: the server mounts them and the client calls them. */
export const domainRoutes = {
  /** Answer: {@link DomainInfo}. */
  getInfo: { method: "GET", path: "/v1/info" },
  /** Body: {@link KeyRequest}. Answer: {@link SignedQuestionKey}. */
  postKey: { method: "POST", path: "/v1/keys" },
  /** Body: {@link QuestionMessage}. Answer: {@link SignedQuote}. */
  postQuestion: { method: "POST", path: "/v1/questions" },
  /** Body: {@link SubjectMessage}, action `enrol`. Answer: {@link SealedReply}. */
  postEnrol: { method: "POST", path: "/v1/subjects/enrol" },
  /** Body: {@link SubjectMessage}, action `records`. Answer: {@link SealedReply}. */
  postRecords: { method: "POST", path: "/v1/subjects/records" },
  /** Body: {@link SubjectMessage}, action `audit`. Answer: {@link SealedReply}. */
  postAudit: { method: "POST", path: "/v1/subjects/audit" },
} as const;
