GenerateCommand.start()
