;;; emacs --batch -l eglot.el: opens a patch as a reader would, uses what the editor offers for it, and prints what is seen:  -*- lexical-binding: t -*-
;; {"told": NAME, "value": ...}, one a line.  FAULTLINE_STEPS says what to open, under which configuration.

(require 'package)
(package-initialize) ; Where Debian keeps eglot, as far as Emacs does not have it itself.
(require 'json)
(require 'cl-lib)
(require 'flymake)
(require 'eglot)

(defvar steps (json-parse-string (getenv "FAULTLINE_STEPS") :object-type 'plist))
(defvar limit 30)
(defvar news 1 "Raised with each push of diagnostics.")
(defvar pushed nil "How many diagnostics were pushed last.")

;; What an interactive Emacs has, and one that runs a batch has not.
(setq last-nonmenu-event ?\r)
(setq-default eglot-workspace-configuration `(:faultline ,(plist-get steps :settings)))

(defun tell (told value)
  (princ (concat "{\"told\":" (json-encode told) ",\"value\":" (json-encode value) "}\n")))

(defun await (what condition)
  "Handles what comes from the server, as between two keys, until CONDITION holds."
  (let ((end (+ (float-time) limit)))
    (while (not (funcall condition))
      (when (> (float-time) end) (error "Timed out waiting for %s" what))
      (run-hooks 'post-command-hook)
      (accept-process-output nil 0.02))))

(defun messages ()
  (with-current-buffer (messages-buffer) (buffer-string)))

(defun text-of (buffer)
  (with-current-buffer buffer (vconcat (split-string (buffer-substring-no-properties (point-min) (point-max)) "\n"))))

(defun errors ()
  (cl-count 'eglot-error (flymake-diagnostics) :key #'flymake-diagnostic-type))

(defun diagnostics ()
  (vconcat
   (mapcar (lambda (one)
             (save-excursion
               (goto-char (flymake-diagnostic-end one))
               `((line . ,(line-number-at-pos (flymake-diagnostic-beg one)))
                 (end_line . ,(line-number-at-pos))
                 (to_end . ,(if (eolp) t :json-false))
                 (type . ,(symbol-name (flymake-diagnostic-type one)))
                 (text . ,(flymake-diagnostic-text one)))))
           (sort (flymake-diagnostics) (lambda (a b) (< (flymake-diagnostic-beg a) (flymake-diagnostic-beg b)))))))

(defun hover (after)
  "What eldoc shows for the name that AFTER ends in."
  (goto-char (point-min))
  (search-forward after)
  (let (shown)
    (eglot-hover-eldoc-function (lambda (text &rest _) (setq shown text)))
    (await "the hover" (lambda () shown))
    (vconcat (split-string (substring-no-properties shown) "\n"))))

(defun answer (part)
  "What a command answered with, which has PART: a file that was opened, or a message; back in the buffer."
  (let ((here (current-buffer)) text)
    (await part
           (lambda ()
             (cl-loop for buffer in (append (mapcar #'window-buffer (window-list)) (list (messages-buffer)))
                      unless (eq buffer here)
                      thereis (setq text (with-current-buffer buffer
                                           (save-excursion
                                             (goto-char (point-min))
                                             (and (search-forward part nil t) (buffer-string))))))))
    (switch-to-buffer here)
    text))

(defun act (line title)
  "Asks for the actions on LINE, as often as there is news, until one begins with TITLE, and takes it."
  (let ((asked 0) taken)
    (cl-letf (((symbol-function 'completing-read)
               (lambda (_prompt titles &rest _)
                 (setq taken (cl-find-if (lambda (one) (string-prefix-p title one)) (all-completions "" titles)))
                 (or taken (signal 'quit nil)))))
      (await (concat "the action " title)
             (lambda ()
               (when (and (not taken) (< asked news))
                 (setq asked news)
                 (goto-char (point-min))
                 (forward-line (1- line))
                 (condition-case nil (call-interactively #'eglot-code-actions) (quit nil)))
               taken)))))

(cl-defmethod eglot-handle-notification :before (_server (_method (eql textDocument/publishDiagnostics)) &key diagnostics &allow-other-keys)
  (setq news (1+ news) pushed (length diagnostics)))

(defun run-steps ()
  (load (expand-file-name (plist-get steps :configuration)) nil t)
  (switch-to-buffer (find-file-noselect (plist-get steps :file)))
  (tell "mode" (symbol-name major-mode))
  (await "the server" #'eglot-managed-p)
  (if (eq (plist-get steps :quick) t)
      (progn
        (await "diagnostics" #'flymake-diagnostics)
        (tell "diagnostics" (diagnostics)))
    (await "findings" (lambda () (> (errors) 0)))
    (tell "hover" (hover (plist-get steps :hover)))
    (let ((line (plist-get steps :line)))
      (act line "Show evidence of #1 ")
      (tell "evidence" (answer "The program:"))
      (act line "Copy review reply about #1 ")
      (tell "reply" (answer "In a simulated"))
      (tell "diagnostics" (diagnostics))
      (set-buffer-modified-p nil)
      (act line "Check the result of do_set_pmd")
      (await "the edit" #'buffer-modified-p)
      (tell "edited" (text-of (current-buffer)))
      (eglot--signal-textDocument/didChange) ; An interactive Emacs does so as soon as it is idle.
      (await "the findings to go" (lambda () (= (errors) 0)))))
  (set-buffer-modified-p nil)
  (setq eglot-autoshutdown nil)
  (kill-buffer)
  (await "the end of the diagnostics" (lambda () (equal pushed 0)))
  (tell "said" (messages)))

(condition-case problem
    (run-steps)
  (error (tell "error" (error-message-string problem)) (tell "said" (messages)) (kill-emacs 1)))
(tell "error" "")
(kill-emacs 0)
