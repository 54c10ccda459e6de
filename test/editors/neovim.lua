-- nvim --headless --clean -c 'luafile neovim.lua': opens a patch as a reader would, uses what the editor offers for it, and prints what
-- is seen: {"told": NAME, "value": ...}, one a line. FAULTLINE_STEPS says what to open, under which configuration.
local steps = vim.json.decode(vim.env.FAULTLINE_STEPS)
local LIMIT = 30000

local function tell(told, value)
  io.stdout:write('{"told":' .. vim.json.encode(told) .. ',"value":' .. vim.json.encode(value) .. '}\n')
  io.stdout:flush()
end

local function await(what, condition)
  if not vim.wait(LIMIT, condition, 10) then
    error('timed out waiting for ' .. what)
  end
end

local function messages()
  return vim.api.nvim_exec('messages', true)
end

local function errors(buffer)
  return #vim.diagnostic.get(buffer, { severity = vim.diagnostic.severity.ERROR })
end

local function diagnostics(buffer)
  local found = {}
  for _, one in ipairs(vim.diagnostic.get(buffer)) do
    table.insert(found, { line = one.lnum + 1, first = one.col, end_line = one.end_lnum + 1, last = one.end_col, severity = one.severity, code = one.code, message = one.message })
  end
  return found
end

-- The text of the floating window as it looks, without what the syntax conceals.
local function hover(after)
  vim.fn.cursor(1, 1)
  vim.fn.search('\\V' .. after .. '\\zs', 'cW')
  vim.lsp.buf.hover()
  local window
  await('the hover', function()
    for _, one in ipairs(vim.api.nvim_list_wins()) do
      if vim.api.nvim_win_get_config(one).relative ~= '' then
        window = one
        return true
      end
    end
  end)
  vim.api.nvim_set_current_win(window)
  local seen = {}
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    local text = ''
    for column = 1, #line do
      local concealed, instead = unpack(vim.fn.synconcealed(number, column))
      text = text .. (concealed == 1 and instead or line:sub(column, column))
    end
    table.insert(seen, text)
  end
  vim.api.nvim_win_close(window, true)
  return seen
end

-- What a command answered with, which has this part: a file that was opened, or a message; back in the buffer.
local function answer(buffer, part)
  local text
  await(part, function()
    text = vim.api.nvim_get_current_buf() == buffer and messages() or table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
    return text:find(part, 1, true) ~= nil
  end)
  vim.cmd('buffer ' .. buffer)
  return text
end

-- Asks for the actions on a line, as often as there is news, until one of them fits, and takes it.
local function act(line, title)
  local news, taken = 1, false
  local watch = vim.api.nvim_create_autocmd('DiagnosticChanged', { callback = function() news = news + 1 end })
  vim.ui.select = function(items, options, choose)
    for number, item in ipairs(items) do
      if not taken and options.format_item(item):match(title) then
        taken = true
        choose(item, number)
      end
    end
  end
  vim.fn.cursor(line, 1)
  local asked = 0
  await('the action ' .. title, function()
    if not taken and asked < news then
      asked = news
      vim.lsp.buf.code_action()
    end
    return taken
  end)
  vim.api.nvim_del_autocmd(watch)
end

local function run()
  local pushed = {}
  local push = vim.lsp.handlers['textDocument/publishDiagnostics']
  vim.lsp.handlers['textDocument/publishDiagnostics'] = function(problem, result, ...)
    pushed[result.uri] = #result.diagnostics
    return push(problem, result, ...)
  end
  dofile(steps.configuration)
  local settings = { faultline = steps.settings }
  if vim.lsp.config then
    vim.lsp.config('faultline', { settings = settings })
  end
  vim.cmd('edit ' .. steps.file)
  local buffer = vim.api.nvim_get_current_buf()
  local uri = vim.uri_from_bufnr(buffer)
  tell('filetype', vim.bo.filetype)
  tell('fileformat', vim.bo.fileformat)
  local client
  await('the server', function()
    client = (vim.lsp.get_clients or vim.lsp.get_active_clients)()[1]
    return client ~= nil and client.initialized
  end)
  if not vim.lsp.config then
    client.notify('workspace/didChangeConfiguration', { settings = settings })
  end
  if steps.quick then
    await('diagnostics', function() return #vim.diagnostic.get(buffer) > 0 end)
    tell('diagnostics', diagnostics(buffer))
  else
    await('findings', function() return errors(buffer) > 0 end)
    tell('hover', hover(steps.hover))
    act(steps.line, '^Show evidence of #1 ')
    tell('evidence', answer(buffer, 'The program:'))
    act(steps.line, '^Copy review reply about #1 ')
    tell('reply', answer(buffer, 'In a simulated'))
    tell('diagnostics', diagnostics(buffer))
    vim.bo.modified = false
    act(steps.line, '^Check the result of do_set_pmd')
    await('the edit', function() return vim.bo[buffer].modified end)
    tell('edited', vim.api.nvim_buf_get_lines(buffer, 0, -1, false))
    await('the findings to go', function() return errors(buffer) == 0 end)
    vim.cmd('silent undo')
    await('the findings to come back', function() return errors(buffer) > 0 end)
  end
  vim.cmd('bdelete!')
  -- A newer one asks for diagnostics, and forgets them by itself.
  await('the end of the diagnostics', function() return pushed[uri] == 0 or vim.lsp.config and #vim.diagnostic.get(buffer) == 0 end)
  tell('left', #vim.diagnostic.get())
  tell('error', vim.v.errmsg)
end

local fine, problem = pcall(run)
if not fine then
  tell('error', tostring(problem))
end
vim.cmd(fine and 'qall!' or 'cquit')
